"""FP8: transformers with compressed-tensors loads what compress writes, and computes what we compute."""

from transformers import AutoTokenizer, CompressedTensorsConfig

from support import *

PLACES = {"SmolLM2": smollm2_hf(), "llama-pico": FIXTURES / "models/llama-pico"}
# How the weights are held, the type of what is not quantized, and the largest error of their logits against ours. As they come,
# compressed-tensors also rounds activations to FP8, which our forward pass does not; unpacked, only the arithmetic differs.
WAYS = {
    "unpacked on loading, F32": ({"dequantize": True}, "float32", 1e-9),
    "unpacked on loading, BF16": ({"dequantize": True}, "bfloat16", 1e-2),
    "as it comes, BF16": (None, "bfloat16", 1e-1),
}

for name, source in PLACES.items():
    out = fresh(f"{name}-fp8")
    options = ["--heldout", text_path(), "--heldout-chunks", 2] if name == "SmolLM2" else []
    report = mtconv_json("compress", source, out, "--fp8", *options)["verification"]
    error = report["correctness"]["normalizedError"]
    check(f"{name}: the file is what the plan says, NMSE < 1e-10", f"{error:.1e}", error < 1e-10)
    size = [sum(p.stat().st_size for p in f.glob("model*.safetensors")) for f in (source, out)]
    note(f"{name}: bytes of weights", f"{size[0]:,} to {size[1]:,}")
    tokenizer = AutoTokenizer.from_pretrained(out) if name == "SmolLM2" else None
    ids = token_chunks(tokenizer, 1, 256)[0] if tokenizer else list(range(3, 60))
    parent, ours = logits(source, ids), logits(out, ids)
    note(f"{name}: our logits against the parent's", f"NMSE {nmse(ours, parent):.1e}, top-1 {top1_agreement(ours, parent):.1%}")

    for way, (options, dtype, limit) in WAYS.items():
        config = {"quantization_config": CompressedTensorsConfig(**options)} if options else {}
        model = causal_model(out, dtype, **config)
        check(f"{name}, {way}: transformers loads it", model.complaints or "no warnings", not model.complaints)
        theirs = torch_logits(model, ids)
        error = nmse(theirs, ours)
        check(f"{name}, {way}: their logits against ours, NMSE < {limit:.0e}",
              f"{error:.1e}, top-1 {top1_agreement(theirs, ours):.1%}", error < limit)
        if tokenizer:
            text = tokenizer.decode(torch_greedy(model, tokenizer(PROMPTS[0]).input_ids, 12))
            check(f"{name}, {way}: answers", repr(text), "Paris" in text)
finish()
