"""Hugging Face directory → GGUF: llama.cpp and gguf-py read every format, and llama.cpp computes what we compute."""

import gguf
import numpy as np
from transformers import AutoTokenizer

from support import *

# What llama.cpp's own converter writes for this model; an engine may rely on any of them.
CONVERTER_KEYS = [
    "general.architecture", "general.type", "general.name", "general.size_label", "general.file_type",
    "general.quantization_version", "llama.block_count", "llama.context_length", "llama.embedding_length",
    "llama.feed_forward_length", "llama.attention.head_count", "llama.attention.head_count_kv", "llama.rope.freq_base",
    "llama.attention.layer_norm_rms_epsilon", "llama.attention.key_length", "llama.attention.value_length",
    "llama.vocab_size", "llama.rope.dimension_count", "tokenizer.ggml.model", "tokenizer.ggml.pre",
    "tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.merges", "tokenizer.ggml.bos_token_id",
    "tokenizer.ggml.eos_token_id", "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.padding_token_id",
    "tokenizer.ggml.add_bos_token", "tokenizer.chat_template",
]

folder = smollm2_hf()
tokenizer = AutoTokenizer.from_pretrained(folder)
reference = causal_model(folder)
chunks = token_chunks(tokenizer, 4, 256)

for dtype in ("f32", "f16", "bf16", "q8_0"):
    path = fresh(f"smollm2-{dtype}.gguf")
    mtconv("convert", folder, path, "--dtype", dtype)
    reader = gguf.GGUFReader(path)
    missing = [k for k in CONVERTER_KEYS if k not in reader.fields]
    kinds = sorted({t.tensor_type.name for t in reader.tensors})
    check(f"{dtype}: gguf-py reads it", f"{len(reader.tensors)} tensors {kinds}, missing keys {missing}", not missing)

    engine = LlamaCpp(path)
    check(f"{dtype}: llama.cpp loads it", engine.log or "no complaints", not engine.log)
    ours = [logits(path, ids) for ids in chunks]
    theirs = [engine.logits(ids) for ids in chunks]
    error = nmse(np.concatenate(theirs), np.concatenate(ours))
    agreement = top1_agreement(np.concatenate(theirs), np.concatenate(ours))
    limit = {"f32": 1.0, "f16": 0.99, "bf16": 0.98, "q8_0": 0.95}[dtype]
    check(f"{dtype}: top-1 agreement of llama.cpp with us >= {limit:.0%}",
          f"{agreement:.2%} of {sum(map(len, chunks))} tokens, NMSE {error:.1e}", agreement >= limit)

    if dtype == "f32":
        for prompt in PROMPTS:
            ids = tokenizer(prompt).input_ids
            theirs, expected = engine.greedy(ids, 64), torch_greedy(reference, ids, 64)
            equal = next((i for i in range(64) if theirs[i] != expected[i]), 64)
            check("f32: greedy tokens of llama.cpp and transformers", f"{equal} of 64 equal", equal == 64)
        texts = [t for t in fixture_texts() if t]
        different = [t for t in texts if engine.tokens(t) != tokenizer(t).input_ids]
        check("token ids of llama.cpp and transformers equal", f"{len(texts) - len(different)} of {len(texts)} texts",
              not different)
        for text in different[:8]:
            note("differs", f"{text!r} {engine.tokens(text)} {tokenizer(text).input_ids}")
    engine.model.close()

    if dtype == "q8_0":
        # llama.cpp rounds activations to 8 bits for such weights, which turns close calls over. Only close ones:
        best = np.sort(np.concatenate(ours), -1)
        margins = best[:, -1] - best[:, -2]
        turned = np.argmax(np.concatenate(theirs), -1) != np.argmax(np.concatenate(ours), -1)
        check("q8_0: our margin where they differ < 1", f"at most {margins[turned].max():.2f}, median of all tokens "
              f"{np.median(margins):.2f}", margins[turned].max() < 1)
        # And it is the activations: the same values as F32 weights give the same logits.
        unpacked = fresh("smollm2-q8_0-as-f32.gguf")
        mtconv("convert", path, unpacked, "--dtype", "f32")
        engine = LlamaCpp(unpacked)
        theirs = np.concatenate([engine.logits(ids) for ids in chunks])
        error, agreement = nmse(theirs, np.concatenate(ours)), top1_agreement(theirs, np.concatenate(ours))
        check("q8_0 values held as F32: top-1 agreement 100 %", f"{agreement:.2%}, NMSE {error:.1e}", agreement == 1)
        engine.model.close()
finish()
