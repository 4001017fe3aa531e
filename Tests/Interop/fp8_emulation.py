"""What our forward pass says of an FP8 model before an engine runs it, against compressed-tensors running it.

transformers loads outputs of `quantize` with compressed-tensors on a CPU, asked for F32: codes times scales are F32 numbers, and modules round
their inputs to E4M3, keys and values too, as the checkpoint says, in F32. Logits are compared as NMSE:

1. Weights only: their rounding of activations switched off, ours by --weights-only. And unpacked on loading (`dequantize=True`): there
   the product of code and scale is rounded to BF16, and so it is by `convert --dtype bf16`.
2. With activations, one matrix of the model quantized and the rest plain.
3. With activations, all matrices of the first 1, 2, 4, … layers of the model.

A value within the F32 noise of a tie becomes the next code, 6 % away, and what is behind it feels that and rounds elsewhere: every layer
amplifies what two implementations differ by, up to the size of the quantization noise itself. In 2 there is nothing behind it; in 3 the
difference of compressed-tensors in F32 from itself in F64 stands beside ours.
"""

import shutil

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, CompressedTensorsConfig

from support import *

# Sizes are multiples of 128. Those of SmolLM2 are not, and compressed-tensors refuses to round its inputs in groups.
REFERENCE = FIXTURES / "models/fp8-reference/src"
TOKENS = 128
ROLES = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj",
         "mlp.down_proj"]


def theirs(model, ids, dtype="float32", activations=True):
    """As transformers with compressed-tensors runs it; in F64 after it was loaded in F32."""
    model = causal_model(model, "float32")
    for module in model.modules():
        if hasattr(module, "quantization_scheme"):
            module.quantization_enabled = activations
    with torch.no_grad():
        model(torch.tensor([ids[:2]]))  # unpacks
    if dtype == "float64":
        model = model.double()
    return torch_logits(model, ids)


def first_layers(source, count):
    out = fresh("first-layers")
    out.mkdir(parents=True)
    for path in source.iterdir():
        if path.suffix != ".safetensors" and path.name not in ("mtconv.json", "model.safetensors.index.json"):
            shutil.copy(path, out)
    config = json.loads((out / "config.json").read_text())
    config["num_hidden_layers"] = count
    config.pop("layer_types", None)
    (out / "config.json").write_text(json.dumps(config))
    tensors = {k: v for path in source.glob("*.safetensors") for k, v in load_file(path).items()}
    kept = {k: v for k, v in tensors.items() if not k.startswith("model.layers.") or int(k.split(".")[2]) < count}
    save_file(kept, out / "model.safetensors", {"format": "pt"})
    return out


def quantized(source, scheme, *options, cache=False, ignore=None):
    """`scheme` of a model; fp8-static with statistics of a text, or of the reference's calibration tokens."""
    out = fresh("quantized")
    options = list(options)
    if scheme == "fp8-static" or cache:
        statistics = fresh("statistics.safetensors")
        tokens = source == REFERENCE
        text = ["--tokens", FIXTURES / "models/fp8-reference/calibration.json"] if tokens else ["--text", text_path()]
        mtconv("calibrate", source, *text, *([] if tokens else ["--chunks", 2]), "-o", statistics)
        options += ["--stats", statistics]
    options += ["--kv-cache"] if cache else []
    options += ["--ignore", ignore] if ignore else []
    mtconv("quantize", source, "-o", out, "--scheme", scheme, *options, "--no-hashes", "--no-sync")
    return out


def weights_only(name, source, ids):
    for scheme in ["fp8-dynamic", "fp8-block", "fp8-static"]:
        out = quantized(source, scheme)
        error = nmse(logits(out, ids, "--weights-only"), theirs(out, ids, activations=False))
        check(f"{name}, {scheme}, weights only, NMSE < 1e-10", f"{error:.1e}", error < 1e-10)
        if scheme == "fp8-static":
            continue
        model = causal_model(out, "float32", quantization_config=CompressedTensorsConfig(dequantize=True))
        plain = fresh("plain")
        mtconv("convert", out, plain, "--dtype", "bf16")
        error = nmse(logits(plain, ids), torch_logits(model, ids))
        check(f"{name}, {scheme}, unpacked to BF16 on loading, NMSE < 1e-8", f"{error:.1e}", error < 1e-8)


def one_matrix(name, source, ids, layer, schemes):
    for scheme, cache in schemes:
        errors, effects = [], []
        for role in ROLES:
            pattern = f"re:(?!model\\.layers\\.{layer}\\.{role.replace('.', chr(92) + '.')}$).*"
            out = quantized(source, scheme, cache=cache, ignore=pattern)
            reference = theirs(out, ids)
            errors.append(nmse(logits(out, ids), reference))
            effects.append(nmse(logits(out, ids, "--weights-only"), reference))
        label = f"{name}, {scheme}{' and KV cache' if cache else ''}, one matrix of layer {layer}"
        check(f"{label}, the worst of {len(ROLES)}, NMSE < 1e-8", f"{max(errors):.1e}", max(errors) < 1e-8)
        note(f"{label}, what rounding activations does", f"{min(effects):.1e} to {max(effects):.1e}")


def first_layers_with_activations(name, source, ids, depths, schemes):
    for depth in depths:
        cut = first_layers(source, depth)
        for scheme, cache in schemes:
            out = quantized(cut, scheme, cache=cache)
            reference = theirs(out, ids)
            error, noise = nmse(logits(out, ids), reference), nmse(theirs(out, ids, "float64"), reference)
            effect = nmse(logits(out, ids, "--weights-only"), reference)
            check(f"{name}, {scheme}{' and KV cache' if cache else ''}, {depth} layers: ours as near as theirs in F64, × 5",
                  f"{error:.1e} and {noise:.1e}; rounding activations does {effect:.1e}", error < 5 * noise + 1e-8)


smollm2 = smollm2_hf()
ids = token_chunks(AutoTokenizer.from_pretrained(smollm2), 1, TOKENS)[0]
weights_only("SmolLM2", smollm2, ids)
one_matrix("SmolLM2", smollm2, ids, 15, [("fp8-dynamic", False), ("fp8-static", False)])
first_layers_with_activations(
    "SmolLM2", smollm2, ids, [1, 4, 30], [("fp8-dynamic", False), ("fp8-static", False), ("fp8-static", True)])
ids = list(range(3, 60))
weights_only("fp8-reference", REFERENCE, ids)
one_matrix("fp8-reference", REFERENCE, ids, 1, [("fp8-dynamic", False), ("fp8-block", False), ("fp8-static", False)])
first_layers_with_activations(
    "fp8-reference", REFERENCE, ids, [1, 2], [("fp8-dynamic", False), ("fp8-block", False), ("fp8-static", True)])
finish()
