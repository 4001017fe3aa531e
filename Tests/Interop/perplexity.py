"""Perplexity and speed on the same chunks: ours against transformers in F32."""

import math
import time

import torch
from transformers import AutoTokenizer

from support import *

CHUNKS = 20
BATCH = 4

folder = smollm2_hf()
tokenizer = AutoTokenizer.from_pretrained(folder)
ours = mtconv_json("perplexity", folder, "--text", text_path(), "--chunks", CHUNKS)

model = causal_model(folder)
tokens = torch.tensor(token_chunks(tokenizer, CHUNKS))
loss, scored = 0.0, 0
with torch.inference_mode():
    model(tokens[:1, :64])
    start = time.perf_counter()
    for first in range(0, CHUNKS, BATCH):
        chunk = tokens[first : first + BATCH]
        # Positions 256 … 510 predict tokens 257 … 511, as llama-perplexity scores them.
        scores = model(chunk, use_cache=False).logits[:, 256:511].float()
        loss += torch.nn.functional.cross_entropy(scores.flatten(0, 1), chunk[:, 257:].flatten(), reduction="sum").item()
        scored += chunk[:, 257:].numel()
    seconds = time.perf_counter() - start
theirs = math.exp(loss / scored)

difference = abs(ours["perplexity"] / theirs - 1)
check("perplexity, ours against transformers, within 0.01 %",
      f"{ours['perplexity']:.4f} ± {ours['standardError']:.4f} against {theirs:.4f}, difference {difference:.5%}",
      difference < 1e-4)
check("tokens scored", f"{ours['scoredTokens']} and {scored}", ours["scoredTokens"] == scored)
note("speed", f"{ours['tokensPerSecond']:.0f} tokens/s (half of the head), transformers {tokens.numel() / seconds:.0f}")
quantized = mtconv_json("perplexity", SMOLLM2_GGUF, "--text", text_path(), "--chunks", CHUNKS)
note("perplexity of the Q4_1 file itself", f"{quantized['perplexity']:.4f}")
finish()
