"""There and back again: weights, configuration and tokenizer keep every byte."""

import hashlib
import json
import shutil

from support import *

FAMILIES = [
    "llama-pico", "llama-rope3-pico", "qwen2-pico", "qwen3-pico", "gemma2-pico", "nemotron-pico", "phi-pico",
    "llama-pico-bf16-sharded", "kjv-1m",
]
FITTED = ["gemma2-pico", "nemotron-pico"]


def digests(folder) -> dict[str, str]:
    # The recipe names the parent, which differs by design.
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.name != "mtconv.json"}


def compare(name, first, second):
    a, b = digests(first), digests(second)
    different = sorted(n for n in a.keys() | b.keys() if a.get(n) != b.get(n))
    check(name, f"{len(a)} files, different: {different}" if different else f"{len(a)} files byte-equal", not different)


first = smollm2_hf()
middle, second = fresh("round-trip.gguf"), fresh("round-trip-hf")
mtconv("convert", first, middle, "--dtype", "f32")
mtconv("convert", middle, second, "--dtype", "bf16")
compare("SmolLM2: GGUF Q4_1 → HF BF16 → GGUF F32 → HF BF16", first, second)
middle.unlink()
shutil.rmtree(second)


def source(family):
    """The fixture; where GGUF cannot say what it means, a copy that GGUF can."""
    folder = FIXTURES / "models" / family
    if family not in FITTED:
        return folder
    refused = mtconv("convert", folder, fresh("refused.gguf"), ok=None)
    check(f"{family} is refused as it is", refused.stderr.strip(), refused.returncode == 2)
    copy = fresh(f"{family}-adapted")
    shutil.copytree(folder, copy)
    fit_to_llama_cpp(copy, json.loads((copy / "config.json").read_text()))
    return copy


for family in FAMILIES:
    # The first pass through us settles the order of tensors in the file; from there on nothing moves.
    fixture = source(family)
    first, middle, second = fresh(f"{family}-1"), fresh(f"{family}.gguf"), fresh(f"{family}-2")
    mtconv("convert", fixture, first)
    mtconv("convert", first, middle)
    dtype = "bf16" if family in ("llama-pico-bf16-sharded", "kjv-1m") else "f32"
    mtconv("convert", middle, second, "--dtype", dtype)
    compare(f"{family}: HF → GGUF → HF", first, second)
    from safetensors.torch import load_file

    a = {k: v for p in fixture.glob("model*.safetensors") for k, v in load_file(p).items()}
    b = load_file(second / "model.safetensors")
    equal = a.keys() == b.keys() and all(a[k].dtype == b[k].dtype and a[k].equal(b[k]) for k in a)
    check(f"{family}: every tensor bit-equal to the fixture", f"{len(a)} tensors", equal)
finish()
