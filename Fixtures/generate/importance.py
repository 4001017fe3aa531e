"""Importance of channels, neurons, heads and layers of the pico models, and what scales follow from, computed with numpy from what transformers' modules
read and wrote (oracle.safetensors). Formulas: Minitron (arXiv 2407.14679, section 2.2), ShortGPT (2403.03853), Gromov et al. (2403.17887).

    python3 Fixtures/generate/importance.py        # writes Fixtures/compression/importance.json
"""
import json
import os

import numpy as np
from safetensors.numpy import load_file

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
NORMS = {"gemma2": ["input_layernorm", "pre_feedforward_layernorm"], "phi": ["input_layernorm"]}
DOWN = {"phi": "mlp.fc2"}
OUT = {"phi": "self_attn.dense"}


def aggregate(x, sequence, batch):
    """x: (batch, tokens, channels) in float64."""
    if sequence == "mean":
        s = np.abs(x).mean(1)
    elif sequence == "l2":
        s = np.sqrt((x * x).sum(1))
    else:
        s = x.var(1)
    if batch == "mean":
        return s.mean(0)
    if batch == "l2":
        return np.sqrt((s * s).sum(0))
    return s.var(0)


def rounded(values):
    return [float(f"{v:.10g}") for v in np.asarray(values, dtype=np.float64).ravel()]


# As MagnitudeHistogram in Sources/ModelCompression: 16 bins of equal width in every octave from 2^-28 to 2^20.
EDGES = np.array([2.0**k * (1 + j / 16) for k in range(-28, 20) for j in range(16)])


def histogram(x):
    """Counts of magnitudes by bin, without the empty ones."""
    bins = np.clip(np.searchsorted(EDGES, np.abs(x).ravel(), side="right") - 1, 0, None)
    return {str(b): int(c) for b, c in zip(*np.unique(bins, return_counts=True))}


def rotated(keys, config):
    """Keys (batch, tokens, heads * dimension) turned by their positions; for models that rotate whole heads by the plain frequencies."""
    batch, tokens, width = keys.shape
    dimension = width // config["num_key_value_heads"]
    theta = config["rope_parameters"]["rope_theta"]
    angles = np.arange(tokens)[:, None] * theta ** (-np.arange(0, dimension, 2) / dimension)[None, :]
    cos, sin = np.cos(angles)[None, :, None], np.sin(angles)[None, :, None]
    x, y = np.split(keys.reshape(batch, tokens, -1, dimension), 2, axis=-1)
    return np.concatenate([x * cos - y * sin, y * cos + x * sin], axis=-1)


def key_maxima(name, config, at, layers):
    module = {"llama": "self_attn.k_proj:output", "qwen2": "self_attn.k_proj:output", "qwen3": "self_attn.k_norm:output"}.get(name)
    if module is None:
        return None
    keys = [at(l, module) for l in range(layers)]
    return rounded([np.abs(rotated(k.reshape(k.shape[0], k.shape[1], -1), config)).max() for k in keys])


def model(name):
    folder = f"{ROOT}/models/{name}-pico"
    config = json.load(open(f"{folder}/config.json"))
    oracle = {k: v.astype(np.float64) for k, v in load_file(f"{folder}/oracle.safetensors").items() if ":" in k and "grad" not in k}
    layers = config["num_hidden_layers"]
    heads = config["num_attention_heads"]
    at = lambda layer, module: oracle[f"model.layers.{layer}.{module}"]
    norms = NORMS.get(name, ["input_layernorm", "post_attention_layernorm"])
    down, out = DOWN.get(name, "mlp.down_proj"), OUT.get(name, "self_attn.o_proj")
    hidden = sum(aggregate(at(l, n + ":output"), "mean", "l2") for l in range(layers) for n in norms)
    attended = [aggregate(at(l, out + ":input"), "mean", "l2") for l in range(layers)]
    streams = [oracle[f"model.layers.{l}:input"] if f"model.layers.{l}:input" in oracle else oracle["model.embed_tokens:output"] for l in range(layers)]
    streams.append(oracle[f"model.layers.{layers - 1}:output"])
    cosine = lambda a, b: (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    angle = lambda i, j: np.mean(np.arccos(np.clip(cosine(streams[i][:, -1], streams[j][:, -1]), -1, 1)) / np.pi)
    neurons = at(0, down + ":input")
    return {
        "means": rounded(neurons.mean((0, 1))),
        "meanSquares": rounded((neurons**2).mean((0, 1))),
        "maxima": rounded(np.abs(neurons).max((0, 1))),
        "histogram": histogram(neurons),
        "valueMaximum": rounded([np.abs(at(l, "self_attn.v_proj:output")).max() for l in range(layers)]),
        "keyMaximum": key_maxima(name, config, at, layers),
        "hidden": rounded(hidden),
        "intermediate": [rounded(aggregate(at(l, down + ":input"), "mean", "l2")) for l in range(layers)],
        "queryHead": [rounded(np.sqrt((a.reshape(heads, -1) ** 2).sum(1))) for a in attended],
        "influence": rounded([1 - cosine(streams[l], streams[l + 1]).mean() for l in range(layers)]),
        "angularDistances": [rounded([angle(l, j) for j in range(l + 1, layers + 1)]) for l in range(layers)],
        "aggregates": {
            f"{s}.{b}": rounded(aggregate(at(0, down + ":input"), s, b))
            for s in ("mean", "l2", "variance") for b in ("mean", "l2", "variance")
        },
    }


names = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]
os.makedirs(f"{ROOT}/compression", exist_ok=True)
with open(f"{ROOT}/compression/importance.json", "w") as f:
    json.dump({name: model(name) for name in names}, f)
    f.write("\n")
