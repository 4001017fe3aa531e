"""FP8: transformers with compressed-tensors loads what compress writes, and computes what we compute."""

from safetensors.torch import load_file
from transformers import AutoTokenizer, CompressedTensorsConfig

from support import *

PLACES = {"SmolLM2": smollm2_hf(), "llama-pico": FIXTURES / "models/llama-pico"}
# What is asked of transformers, and the largest error of its logits against ours. Unpacked on loading, codes times scales are rounded
# to BF16. As it comes, activations are rounded to FP8, too, as ours are then, and the rest is BF16; fp8_emulation.py looks closer.
WAYS = {
    "unpacked on loading (dequantize=True), F32": (CompressedTensorsConfig(dequantize=True), "float32", 1e-3),
    "as it comes, BF16": (None, "bfloat16", 1e-1),
}


def unpacked(source, out):
    """The source in F32 with each weight replaced by codes times scales."""
    model = causal_model(source)
    parameters = dict(model.named_parameters())
    tensors = {k: v for p in out.glob("model*.safetensors") for k, v in load_file(p).items()}
    for name, values in tensors.items():
        if not name.endswith("_scale"):
            scale = tensors.get(name + "_scale")
            parameters[name].copy_(values.float() * scale.float() if scale is not None else values.float())
    return model

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
    parent, ours, engine = logits(source, ids), logits(out, ids, "--weights-only"), logits(out, ids)
    for way, found in [("weights only", ours), ("with activations", engine)]:
        note(f"{name}: our logits, {way}, against the parent's",
             f"NMSE {nmse(found, parent):.1e}, top-1 {top1_agreement(found, parent):.1%}")

    error = nmse(torch_logits(unpacked(source, out), ids), ours)
    check(f"{name}: codes times scales in a model of transformers, F32, NMSE < 1e-9", f"{error:.1e}", error < 1e-9)
    for way, (config, dtype, limit) in WAYS.items():
        model = causal_model(out, dtype, **({"quantization_config": config} if config else {}))
        complaints = [line for line in model.complaints if not line.startswith("You passed `quantization_config`")]
        check(f"{name}, {way}: transformers loads it", complaints or "no warnings", not complaints)
        theirs = torch_logits(model, ids)
        mine = engine if config is None else ours
        error = nmse(theirs, mine)
        check(f"{name}, {way}: their logits against ours, NMSE < {limit:.0e}",
              f"{error:.1e}, top-1 {top1_agreement(theirs, mine):.1%}", error < limit)
        if tokenizer:
            text = tokenizer.decode(torch_greedy(model, tokenizer(PROMPTS[0]).input_ids, 12))
            check(f"{name}, {way}: answers", repr(text), "Paris" in text)
finish()
