"""FP8: transformers with compressed-tensors loads what compress writes, and computes what we compute."""

import json

import torch
from transformers import AutoTokenizer, CompressedTensorsConfig

from support import *

PLACES = {"SmolLM2": smollm2_hf(), "llama-pico": FIXTURES / "models/llama-pico"}

for name, source in PLACES.items():
    out = fresh(f"{name}-fp8")
    options = ["--heldout", text_path(), "--heldout-chunks", 2] if name == "SmolLM2" else []
    report = mtconv_json("compress", source, out, "--fp8", *options)
    check(f"{name}: verification passes", f"NMSE of the file against the plan {report['correctness']['normalizedError']}",
          report["correctness"]["normalizedError"] < 1e-10)
    size = [sum(p.stat().st_size for p in f.glob("*.safetensors")) for f in (source, out)]
    note(f"{name}: bytes of weights", f"{size[0]:,} → {size[1]:,}")
    ids = AutoTokenizer.from_pretrained(out)(PROMPTS[1]).input_ids if name == "SmolLM2" else list(range(3, 60))
    parent, ours = logits(source, ids), logits(out, ids)
    note(f"{name}: our logits against the parent's", f"NMSE {nmse(ours, parent):.1e}, top-1 {top1_agreement(ours, parent):.1%}")

    for packed in (False, True):
        way = "kept as FP8" if packed else "unpacked on loading"
        model = causal_model(out, "bfloat16", quantization_config=CompressedTensorsConfig(run_compressed=packed))
        check(f"{name}, {way}: loads", model.complaints or "no warnings", not model.complaints)
        theirs = torch_logits(model, ids)
        error = nmse(theirs, ours)
        note(f"{name}, {way}: their logits against ours", f"NMSE {error:.1e}, top-1 {top1_agreement(theirs, ours):.1%}")
finish()
