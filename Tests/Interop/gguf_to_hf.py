"""GGUF → Hugging Face directory: transformers loads it without a word, reads the same tokens and computes the same logits."""

import json

import numpy as np
from transformers import AutoTokenizer

from support import *

folder = smollm2_hf()
with Complaints() as complaints:
    tokenizer = AutoTokenizer.from_pretrained(folder)
check("AutoTokenizer loads", complaints.lines or f"{type(tokenizer).__name__}, no warnings", not complaints.lines)
model = causal_model(folder)
check("AutoModelForCausalLM loads (F32)", model.complaints or "no warnings", not model.complaints)

# A model with the same tokenizer and next to no weights, so that a process for each text costs little.
small = fresh("tokenizer-only")
small.mkdir()
config = json.loads((FIXTURES / "models/llama-pico/config.json").read_text())
config["vocab_size"] = len(tokenizer)
(small / "config.json").write_text(json.dumps(config))
from safetensors.numpy import load_file, save_file

weights = load_file(FIXTURES / "models/llama-pico/model.safetensors")
weights["model.embed_tokens.weight"] = np.zeros((len(tokenizer), config["hidden_size"]), np.float32)
save_file(weights, small / "model.safetensors", {"format": "pt"})
for name in ("tokenizer.json", "tokenizer_config.json"):
    (small / name).write_bytes((folder / name).read_bytes())

texts = [t for t in fixture_texts() if t and "\0" not in t]
texts += [tokenizer.apply_chat_template([{"role": "user", "content": "Why?"}], tokenize=False, add_generation_prompt=True)]
def our_tokens(text: str) -> list[int]:
    # A combining mark may not follow '=' in an argument, nor a dash begin a value of its own.
    option = [f"--text={text}"] if text.startswith("-") else ["--text", text]
    return mtconv_json("logits", small, *option)["tokens"]


different = [t for t in texts if our_tokens(t) != tokenizer(t).input_ids]
check("token ids equal", f"{len(texts) - len(different)} of {len(texts)} texts {different[:3] or ''}", not different)

worst = 0.0
for ids in [*token_chunks(tokenizer, 2), tokenizer(PROMPTS[0]).input_ids]:
    worst = max(worst, nmse(logits(folder, ids), torch_logits(model, ids)))
check("logits, ours against transformers F32, largest NMSE < 1e-9", f"{worst:.2e}", worst < 1e-9)
direct = nmse(logits(SMOLLM2_GGUF, ids), torch_logits(model, ids))
note("logits of the Q4_1 file itself against its BF16 directory, NMSE", f"{direct:.2e}")

model = causal_model(folder, "bfloat16")
check("loads in BF16", model.complaints or f"{model.dtype}", not model.complaints and str(model.dtype) == "torch.bfloat16")
text = tokenizer.decode(torch_greedy(model, tokenizer(PROMPTS[0]).input_ids, 16))
check("BF16 answers", repr(text), "Paris" in text)
finish()
