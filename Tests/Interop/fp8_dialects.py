"""FP8 in every dialect: read by the rules of each consumer, loaded by those that run on a CPU, moved without touching a code."""

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, CompressedTensorsConfig

from support import *

# Its sizes are multiples of 128: transformers refuses other matrices in blocks.
REFERENCE = FIXTURES / "models/fp8-reference/src"
PLACES = {"SmolLM2": smollm2_hf(), "fp8-reference": REFERENCE}
WAYS = [
    ("fp8-dynamic", "compressed-tensors"), ("fp8-block", "compressed-tensors"), ("fp8-static", "compressed-tensors"),
    ("fp8-block", "fp8"), ("fp8-static", "fp8"), ("fp8-block", "transformers"), ("fp8-static", "transformers"),
    ("fp8-dynamic", "modelopt"), ("fp8-block", "modelopt"), ("fp8-static", "modelopt"),
]
MOVES = {"fp8-dynamic": ["modelopt"], "fp8-block": ["fp8", "modelopt", "transformers"],
         "fp8-static": ["fp8", "modelopt", "transformers"]}


def tensors_of(out):
    return {k: v for p in sorted(out.glob("model*.safetensors")) for k, v in load_file(p).items()}


def scale_of(tensors, name):
    """What a code must be multiplied with, as shaped as the matrix."""
    module = name.removesuffix("weight")
    scale = next(tensors[module + s] for s in ("weight_scale", "weight_scale_inv") if module + s in tensors).float()
    rows, columns = tensors[name].shape
    if scale.numel() == 1:
        return scale.reshape(1, 1)
    if scale.numel() == rows and scale.shape[-1] in (1, rows):
        return scale.reshape(rows, 1)
    grid = scale.squeeze() if scale.ndim == 4 else scale
    grid = grid.reshape(-(-rows // 128), -(-columns // 128))
    return grid.repeat_interleave(128, 0)[:rows].repeat_interleave(128, 1)[:, :columns]


def unpacked(source, out):
    """The source in F32 with each weight replaced by codes times scales."""
    model = causal_model(source)
    parameters = dict(model.named_parameters())
    tensors = tensors_of(out)
    for name, values in tensors.items():
        if name in parameters:
            codes = values.dtype == torch.float8_e4m3fn
            parameters[name].copy_(values.float() * scale_of(tensors, name) if codes else values.float())
    return model


def load(out, scheme, dialect):
    """The model as its consumer unpacks it on a CPU. With calibrated scales, compressed-tensors rounds activations, too: unpacked on
    loading, it would warn of them."""
    if dialect == "compressed-tensors" and scheme == "fp8-static":
        model = causal_model(out, "bfloat16")
    elif dialect == "compressed-tensors":
        model = causal_model(out, "float32", quantization_config=CompressedTensorsConfig(dequantize=True))
    else:
        # Calibrated ones are unpacked to BF16, whatever was asked for; the values are the same.
        model = causal_model(out, "float32")
        model.float()
    # Said of every FP8 model on a machine without a GPU.
    usual = ("You passed `quantization_config`", "Using FP8 quantized models requires a GPU")
    return model, [line for line in model.complaints if not line.startswith(usual)]


for name, source in PLACES.items():
    ids = token_chunks(AutoTokenizer.from_pretrained(source), 1, 128)[0] if name == "SmolLM2" else list(range(3, 60))
    statistics = fresh(f"{name}-statistics.safetensors")
    if name == "SmolLM2":
        mtconv("calibrate", source, "--text", text_path(), "--chunks", 4, "-o", statistics)
    for scheme, dialect in WAYS:
        if scheme == "fp8-static" and name != "SmolLM2":
            continue
        out = fresh(f"{name}-{scheme}-{dialect}")
        options = ["--stats", statistics] if scheme == "fp8-static" else []
        report = mtconv_json("quantize", source, "-o", out, "--scheme", scheme, "--dialect", dialect, *options)
        label = f"{name}, {scheme} as {dialect}"
        note(label, f"SQNR {report['noise']['meanSignalToNoise']:.2f} dB")
        ours = logits(out, ids, "--weights-only")
        error = nmse(torch_logits(unpacked(source, out), ids), ours)
        check(f"{label}: codes times scales in a model of transformers, F32, NMSE < 1e-9", f"{error:.1e}", error < 1e-9)
        fits = name != "SmolLM2" or scheme != "fp8-block"
        is_loaded = dialect in ("compressed-tensors", "transformers") or (scheme, dialect) == ("fp8-block", "fp8")
        if is_loaded and (fits or dialect == "compressed-tensors"):
            model, complaints = load(out, scheme, dialect)
            check(f"{label}: transformers loads it", complaints or "no warnings", not complaints)
            rounds = (scheme, dialect) == ("fp8-static", "compressed-tensors")
            error = nmse(torch_logits(model, ids), logits(out, ids) if rounds else ours)
            limit = 1e-1 if rounds else 1e-3
            check(f"{label}: their logits against ours, NMSE < {limit:.0e}", f"{error:.1e}", error < limit)
        if dialect != "compressed-tensors":
            continue
        codes = {k: v for k, v in tensors_of(out).items() if v.dtype == torch.float8_e4m3fn}
        for target in MOVES[scheme]:
            moved = fresh(f"{name}-{scheme}-to-{target}")
            mtconv("convert", out, moved, "--dialect", target)
            back = fresh(f"{name}-{scheme}-back")
            mtconv("convert", moved, back, "--dialect", "compressed-tensors")
            same = all(torch.equal(v.view(torch.uint8), tensors_of(moved)[k].view(torch.uint8)) for k, v in codes.items())
            whole = all(
                torch.equal(v.view(torch.uint8), tensors_of(back)[k].view(torch.uint8)) for k, v in tensors_of(out).items())
            check(f"{name}, {scheme}: compressed-tensors to {target} and back", "every byte", same and whole)
finish()
