"""A pruned llama-pico healed by numpy in float64: what Healer must give. Least squares as in Docs/Pruning.md, written down a second
time; numpy.linalg.solve in place of our factorisation.

    python3 Fixtures/generate/healing.py        # writes Fixtures/compression/healing.safetensors
"""
import json
import os

import numpy as np
from safetensors.numpy import load_file, save_file

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FOLDER = f"{ROOT}/models/llama-pico"
KEPT, NEURONS, RIDGES, CORRECTION, EVERY = [0, 2], 72, [0.03, 0.3], 0.5, 5

config = json.load(open(f"{FOLDER}/config.json"))
weights = {k: v.astype(np.float64) for k, v in load_file(f"{FOLDER}/model.safetensors").items()}
heads, groups, size = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
theta, epsilon, layers = config["rope_parameters"]["rope_theta"], config["rms_norm_eps"], config["num_hidden_layers"]

tokens = np.random.default_rng(11).integers(0, config["vocab_size"], (40, 24))
held_out = np.arange(40) % EVERY == EVERY - 1
fitted = ~held_out


def norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weight


def rotate(x):
    half = size // 2
    angle = np.outer(np.arange(x.shape[1]), theta ** (-np.arange(half) / half))[None, :, None]
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], -1)


def attend(x, w):
    shape = x.shape[:2]
    q = rotate((x @ w["self_attn.q_proj"].T).reshape(*shape, heads, size))
    k = rotate((x @ w["self_attn.k_proj"].T).reshape(*shape, groups, size)).repeat(heads // groups, 2)
    v = (x @ w["self_attn.v_proj"].T).reshape(*shape, groups, size).repeat(heads // groups, 2)
    scores = np.einsum("bqhd,bkhd->bhqk", q, k) / np.sqrt(size)
    scores = np.where(np.tril(np.ones((shape[1], shape[1]), bool)), scores, -np.inf)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("bhqk,bkhd->bqhd", scores / scores.sum(-1, keepdims=True), v).reshape(*shape, heads * size)


def inner(x, w):
    gate = x @ w["mlp.gate_proj"].T
    return gate / (1 + np.exp(-gate)) * (x @ w["mlp.up_proj"].T)


def layer(index, neurons=None):
    prefix = f"model.layers.{index}."
    w = {k[len(prefix) : -len(".weight")]: v.copy() for k, v in weights.items() if k.startswith(prefix)}
    if neurons is not None:
        w["mlp.gate_proj"], w["mlp.up_proj"] = w["mlp.gate_proj"][:neurons], w["mlp.up_proj"][:neurons]
        w["mlp.down_proj"] = w["mlp.down_proj"][:, :neurons]
    return w


def parent_block(x, w):
    """The stream before, inside and behind the block, and what its projections read."""
    read = norm(x, w["input_layernorm"])
    middle = x + attend(read, w) @ w["self_attn.o_proj"].T
    read2 = norm(middle, w["post_attention_layernorm"])
    return middle, middle + inner(read2, w) @ w["mlp.down_proj"].T, read, read2


def ridge(x, residual, row_weights, error):
    """(outputs, inputs) by the best ridge on held-out rows, fitted to all; None if none helps."""

    def solve(rows, strength):
        a, r, s = x[rows].reshape(-1, x.shape[-1]), residual[rows].reshape(-1, residual.shape[-1]), row_weights[rows].reshape(-1, 1)
        gram = (a * s).T @ a
        squares = np.diag(gram)
        return np.linalg.solve(gram + strength * np.diag(np.sqrt(squares * squares.mean())), (a * s).T @ r).T

    best, strength = error(np.zeros((residual.shape[-1], x.shape[-1]))), None
    for candidate in RIDGES:
        value = error(solve(fitted, candidate))
        if value < best:
            best, strength = value, candidate
    return (None if strength is None else solve(fitted | held_out, strength)), strength


def relative(found, wanted):
    return (((found - wanted) ** 2).sum(-1) / (wanted**2).sum(-1))[held_out].mean()


def heal_output(w, name, x, target, others, parent_others):
    wanted = target + (1 - CORRECTION) * (others - parent_others)
    residual = wanted - others - x @ w[name].T
    delta, strength = ridge(
        x, residual, 1 / (wanted**2).mean(-1), lambda d: relative(others + x @ (w[name] + d).T, wanted))
    if delta is not None:
        w[name] = w[name] + delta
    return delta is not None


def heal_input(w, names, x, wanted):
    def error(d):
        return np.mean([relative((x + x @ d.T) @ w[n].T, wanted @ w[n].T) for n in names])

    if error(np.zeros((x.shape[-1],) * 2)) < 1e-11:
        return False
    delta, _ = ridge(x, wanted - x, np.ones(x.shape[:2]), error)
    if delta is not None:
        for n in names:
            w[n] = w[n] + w[n] @ delta
    return delta is not None


streams = [weights["model.embed_tokens.weight"][tokens]]
parents = []
for index in range(layers):
    middle, output, read, read2 = parent_block(streams[-1], layer(index))
    parents.append((middle, read, read2))
    streams.append(output)

result = {"tokens": tokens.astype(np.int64)}
x = streams[0]
for position, index in enumerate(KEPT):
    w = layer(index, NEURONS)
    end = KEPT[position + 1] if position + 1 < len(KEPT) else layers
    middle, read, read2 = parents[index]
    changed = []
    names = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
    if heal_input(w, names, norm(x, w["input_layernorm"]), read):
        changed += names
    attended = attend(norm(x, w["input_layernorm"]), w)
    if position > 0 and heal_output(w, "self_attn.o_proj", attended, middle, x, streams[index]):
        changed.append("self_attn.o_proj")
    y = x + attended @ w["self_attn.o_proj"].T
    names = ["mlp.gate_proj", "mlp.up_proj"]
    if heal_input(w, names, norm(y, w["post_attention_layernorm"]), read2):
        changed += names
    h = inner(norm(y, w["post_attention_layernorm"]), w)
    if heal_output(w, "mlp.down_proj", h, streams[end], y, middle):
        changed.append("mlp.down_proj")
    x = y + h @ w["mlp.down_proj"].T
    for name in changed:
        result[f"model.layers.{position}.{name}.weight"] = w[name].astype(np.float32)
    print(f"layer {index}: {', '.join(changed)}; error {relative(x, streams[end]):.4g}")

save_file(result, f"{ROOT}/compression/healing.safetensors")
