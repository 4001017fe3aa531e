"""Losses, gradients and optimiser steps of a pruned pico that learns from its parent, by torch.

    python distillation.py        writes Fixtures/distillation/oracle.json

The student is the pico without its middle layers. A gradient is recorded as its norm and its products with three fixed
patterns, cos(k · (i + 1)) for k = 1, 2, 3 over its values i in order: a few numbers that any error changes.
"""

import copy
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).resolve().parents[1]
PICOS = ["llama-pico", "qwen3-pico", "gemma2-pico", "phi-pico", "nemotron-pico"]
BETA = 0.3
OBJECTIVES = {
    "forwardKL": dict(kind="forward"),
    "forwardKL temperature 2": dict(kind="forward", temperature=2.0),
    "reverseKL": dict(kind="reverse"),
    "jensenShannon": dict(kind="jsd"),
    "forwardKL mixed": dict(kind="forward", entropy=0.3),
    "hidden meanSquare": dict(kind="forward", hidden="mse"),
    "hidden cosine": dict(kind="forward", hidden="cosine"),
}


def load(name):
    model = AutoModelForCausalLM.from_pretrained(
        ROOT / "models" / name, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


def without_middle(parent):
    student = copy.deepcopy(parent)
    layers = student.model.layers
    student.model.layers = torch.nn.ModuleList([layers[0], layers[len(layers) - 1]])
    # Kinds of layers belong to the original place.
    if getattr(student.config, "layer_types", None):
        kinds = student.config.layer_types
        student.config.layer_types = [kinds[0], kinds[-1]]
    student.config.num_hidden_layers = 2
    for index, layer in enumerate(student.model.layers):
        layer.self_attn.layer_idx = index
    return student


def forward(model, tokens):
    """Logits and the output of every block, without the last norm."""
    outputs = []
    hooks = [
        layer.register_forward_hook(lambda _, __, out: outputs.append(out[0] if isinstance(out, tuple) else out))
        for layer in model.model.layers
    ]
    logits = model(tokens, use_cache=False).logits
    for hook in hooks:
        hook.remove()
    return logits, outputs


def divergence(s, t, kind, temperature=1.0, **_):
    s, t = (s / temperature).log_softmax(-1), (t / temperature).log_softmax(-1)
    if kind == "forward":
        rows = (t.exp() * (t - s)).sum(-1)
    elif kind == "reverse":
        rows = (s.exp() * (s - t)).sum(-1)
    else:
        m = (BETA * t.exp() + (1 - BETA) * s.exp()).log()
        rows = BETA * (t.exp() * (t - m)).sum(-1) + (1 - BETA) * (s.exp() * (s - m)).sum(-1)
    return temperature**2 * rows.mean()


def hidden_loss(outputs, targets, projections, kind):
    total = 0
    for output, target, projection in zip(outputs, targets, projections):
        carried = output @ projection.T
        if kind == "mse":
            total = total + F.mse_loss(carried, target)
        else:
            total = total + (1 - F.cosine_similarity(carried, target, dim=-1)).mean()
    return total


def fingerprint(gradient):
    values = gradient.double().flatten()
    index = torch.arange(1, len(values) + 1, dtype=torch.float64)
    numbers = [values.norm()] + [(values * torch.cos(k * index)).sum() for k in (1, 2, 3)]
    return [float(f"{number.item():.8g}") for number in numbers]


def total_loss(student, tokens, teacher_logits, targets, projections, settings):
    logits, outputs = forward(student, tokens)
    loss = divergence(logits, teacher_logits, **settings)
    reported = loss
    if share := settings.get("entropy"):
        entropy = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        loss = (1 - share) * loss + share * entropy
        reported = loss
    if kind := settings.get("hidden"):
        hidden = hidden_loss(outputs, targets, projections, kind)
        loss = loss + (reported / hidden).detach() * hidden
        reported = loss
    return loss, reported


def record(name):
    teacher = load(name)
    tokens = load_file(ROOT / "models" / name / "oracle.safetensors")["tokens"].long()
    with torch.no_grad():
        teacher_logits, streams = forward(teacher, tokens)
    last = len(streams) - 1
    # What the next kept layer read, and what came out at last.
    targets = [streams[last - 1], streams[last]]
    width = streams[0].shape[-1]
    objectives = {}
    for label, settings in OBJECTIVES.items():
        student = without_middle(teacher)
        projections = [torch.eye(width, requires_grad=True) for _ in targets]
        loss, reported = total_loss(student, tokens, teacher_logits, targets, projections, settings)
        loss.backward()
        gradients = {n: fingerprint(p.grad) for n, p in student.named_parameters() if p.grad is not None}
        if settings.get("hidden"):
            gradients |= {f"projection {i}": fingerprint(p.grad) for i, p in enumerate(projections)}
        objectives[label] = {"loss": reported.item(), "gradients": gradients}
    return {"objectives": objectives, "steps": steps(teacher, tokens, teacher_logits)}


def steps(teacher, tokens, teacher_logits):
    """The losses of ten steps with clipping and decay of matrices, each before its update."""
    student = without_middle(teacher)
    parameters = list(student.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=2e-3, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = divergence(forward(student, tokens)[0], teacher_logits, "forward")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "learningRate": 2e-3, "clippingNorm": 0.5}


if __name__ == "__main__":
    torch.manual_seed(0)
    path = ROOT / "distillation" / "oracle.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({name: record(name) for name in PICOS}).replace('], "', '],\n "') + "\n")
