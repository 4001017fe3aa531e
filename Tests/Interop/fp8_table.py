"""What FP8 costs a real model: perplexity with and without an engine's arithmetic, and signal to noise, as in Docs/Quantization.md.

    fp8_table.py CALIBRATION.txt HELDOUT.txt [MODEL]      MODEL: a BF16 directory, by default SmolLM2-135M-Instruct

Statistics of the first 40 chunks of 512 tokens of CALIBRATION, perplexity on the first 20 of HELDOUT, divergence from MODEL on 4 of
these. `weights` leaves activations as they are, `engine` rounds them, and the cache where the model says so. SQNR is that of the weights,
and `outputs` that of what the matrices give, as far as the mean squares of their input channels tell (no correlations); both are made here
from the files, in double precision.
"""

import gguf
import torch
from safetensors import safe_open

from support import *

calibration, heldout = map(Path, sys.argv[1:3])
source = Path(sys.argv[3]) if len(sys.argv) > 3 else smollm2_hf()
TEXT = ["--text", heldout, "--context", 512]
GGUF_NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
SCHEMES = ["fp8-dynamic", "fp8-block", "fp8-static", "fp8-static + KV"]
RULES = ["single", "compat", "mse", "output"]

statistics, matrix = fresh("table-statistics.safetensors"), fresh("table-importance.gguf")
mtconv("calibrate", source, "--text", calibration, "--context", 512, "--chunks", 40, "-o", statistics, "--imatrix", matrix)
powers = {t.name.removesuffix(".in_sum2"): torch.from_numpy(np.array(t.data, np.float64)).flatten()
          for t in gguf.GGUFReader(matrix).tensors if t.name.endswith(".in_sum2")}


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
        scale = quantized[name + "_scale"].double()
        if scale.ndim == 2 and scale.shape[0] != rows:
            scale = scale.repeat_interleave(128, 0)[:rows].repeat_interleave(128, 1)[:, :columns]
        weight = weights[name].double()
        error = weight - codes.double() * scale
        layer, module = name.removeprefix("model.layers.").removesuffix(".weight").split(".", 1)
        power = powers[f"blk.{layer}.{GGUF_NAMES[module]}.weight"]
        found.append([10 * np.log10(float((weight**2 * p).sum() / (error**2 * p).sum())) for p in (torch.ones(columns), power)])
    return np.mean(found, axis=0)


def measured(label, folder, noise, options):
    value = mtconv_json("perplexity", folder, *TEXT, "--chunks", 20, *options)
    other = mtconv_json("verify", source, folder, *TEXT, "--chunks", 4, *options)["quality"]["comparison"]
    row = [label, "weights" if "--weights-only" in options else "engine", *noise, f"{value['perplexity']:.4f}",
           f"{other['divergence']:.5f}", f"{100 * other['topAgreement']:.1f} %"]
    print("| " + " | ".join(row) + " |", flush=True)
    return value


print("| model | run with | SQNR | outputs | perplexity | KL | same top token |\n|---|---|---|---|---|---|---|")
plain = mtconv_json("perplexity", source, *TEXT, "--chunks", 20)
print(f"| BF16 | | | | {plain['perplexity']:.4f} ± {plain['standardError']:.2f} | | |", flush=True)
measured("BF16", source, ["", ""], ["--kv-cache", "fp8"])
weights = tensors(source)
for scheme in SCHEMES:
    for rule in RULES if "KV" not in scheme else ["single"]:
        out = fresh("table-fp8")
        options = ["--kv-cache"] if "KV" in scheme else []
        if "static" in scheme or rule == "output":
            options += ["--stats", statistics]
        mtconv("quantize", source, "-o", out, "--scheme", scheme.split()[0], "--scales", rule, *options, "--no-hashes", "--no-sync")
        noise = [f"{x:.2f}" for x in signal_to_noise(weights, out)]
        for way in (["--weights-only"], []):
            measured(f"{scheme}, {rule}", out, noise, way)
