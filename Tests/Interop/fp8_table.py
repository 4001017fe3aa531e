"""What FP8 costs a real model: perplexity with and without an engine's arithmetic, and signal to noise, as in Docs/Quantization.md.

    fp8_table.py CALIBRATION HELDOUT.txt [MODEL]

CALIBRATION is a text, of which the first 40 chunks of 512 tokens are used, or statistics that `calibrate` made. Perplexity is that of the first 20 chunks
of HELDOUT. MODEL is a BF16 directory, by default SmolLM2-135M-Instruct. SQNR is that of the weights, and `outputs` that of what the
matrices give, as far as the mean squares of their input channels tell (no correlations); both are made here from the files.
"""

import torch
from safetensors import safe_open

from support import *

calibration, heldout = map(Path, sys.argv[1:3])
source = Path(sys.argv[3]) if len(sys.argv) > 3 else smollm2_hf()
TEXT = ["--text", heldout, "--context", 512]
SITES = {"self_attn.q_proj": "attentionInput", "self_attn.k_proj": "attentionInput", "self_attn.v_proj": "attentionInput",
         "self_attn.o_proj": "attended", "mlp.gate_proj": "feedForwardInput", "mlp.up_proj": "feedForwardInput",
         "mlp.down_proj": "feedForwardInner"}
SCHEMES = ["fp8-dynamic", "fp8-block", "fp8-static", "fp8-static + KV"]
RULES = ["single", "compat", "mse", "output"]

statistics = calibration
if calibration.suffix == ".txt":
    statistics = fresh("table-statistics.safetensors")
    mtconv("calibrate", source, "--text", calibration, "--context", 512, "--chunks", 40, "-o", statistics)
with safe_open(statistics, "pt") as file:
    powers = {name.removesuffix(".l2.squares"): file.get_tensor(name).float() for name in file.keys() if name.endswith(".l2.squares")}


def tensors(folder):
    result = {}
    for path in sorted(folder.glob("model*.safetensors")):
        with safe_open(path, "pt") as file:
            result |= {name: file.get_tensor(name) for name in file.keys()}
    return result


def signal_to_noise(weights, folder):
    """Means over the quantized tensors, in decibels: of the weights, and of their outputs."""
    quantized = tensors(folder)
    found = []
    for name, codes in quantized.items():
        if codes.dtype != torch.float8_e4m3fn:
            continue
        rows, columns = codes.shape
        scale = quantized[name + "_scale"].float()
        if scale.ndim == 2 and scale.shape[0] != rows:
            scale = scale.repeat_interleave(128, 0)[:rows].repeat_interleave(128, 1)[:, :columns]
        weight = weights[name].float()
        error = weight - codes.float() * scale
        layer, module = name.removeprefix("model.layers.").removesuffix(".weight").split(".", 1)
        power = powers[f"layers.{layer}.{SITES[module]}"]
        both = torch.stack([torch.ones(columns), power / power.max()], 1)
        signal, noise = (weight.square() @ both).double().sum(0), (error.square() @ both).double().sum(0)
        found.append(10 * np.log10((signal / noise).numpy()))
    return np.mean(found, axis=0)


def quantized(scheme, rule):
    out = fresh(f"table-{scheme}-{rule}".replace(" ", ""))
    options = ["--kv-cache"] if "KV" in scheme else []
    if "static" in scheme or rule == "output":
        options += ["--stats", statistics]
    mtconv("quantize", source, "-o", out, "--scheme", scheme.split()[0], "--scales", rule, *options, "--no-hashes", "--no-sync")
    return out


def line(*cells):
    print("| " + " | ".join(cells) + " |", flush=True)


def perplexity(model, *options):
    return mtconv_json("perplexity", model, *TEXT, "--chunks", 20, *options)


weights = tensors(source)
print("SQNR in decibels: of weights, of outputs\n")
line("", *RULES)
line(*["---"] * (len(RULES) + 1))
for scheme in SCHEMES[:3]:
    found = [signal_to_noise(weights, quantized(scheme, rule)) for rule in RULES]
    line(scheme, *(f"{a:.2f}, {b:.2f}" for a, b in found))

plain = perplexity(source)
print(f"\nPerplexity; BF16: {plain['perplexity']:.4f} ± {plain['standardError']:.2f}\n")
line("model", "weights only", "as the engine")
line(*["---"] * 3)
for scheme in ["BF16, FP8 cache", *SCHEMES]:
    model, options = (source, ["--kv-cache", "fp8"]) if "BF16" in scheme else (quantized(scheme, "single"), [])
    alone = plain if "BF16" in scheme else perplexity(model, "--weights-only")
    line(scheme, f"{alone['perplexity']:.4f}", f"{perplexity(model, *options)['perplexity']:.4f}")
print("\nPerplexity as the engine, by rule\n")
line("", *RULES)
line(*["---"] * (len(RULES) + 1))
for scheme in SCHEMES[:3]:
    line(scheme, *(f"{perplexity(quantized(scheme, rule))['perplexity']:.4f}" for rule in RULES))
