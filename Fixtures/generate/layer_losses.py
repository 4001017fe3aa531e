"""Losses of the pico models when runs of layers are skipped: transformers in F64, with the forward of each skipped decoder layer
replaced by the identity. Tokens are those of the oracles; the second half of each sequence is scored.

    python3 Fixtures/generate/layer_losses.py        # writes Fixtures/compression/layer_losses.json
"""
import json
import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


@torch.no_grad()
def loss(model, tokens, first, count):
    layers = model.model.layers[first : first + count]
    kept = [layer.forward for layer in layers]
    for layer in layers:
        layer.forward = lambda hidden_states, *_, **__: hidden_states
    logits = model(input_ids=tokens, use_cache=False).logits
    for layer, forward in zip(layers, kept):
        layer.forward = forward
    half = tokens.shape[1] // 2
    scored = logits[:, half:-1].reshape(-1, logits.shape[-1])
    return F.cross_entropy(scored, tokens[:, half + 1 :].reshape(-1)).item()


def model(name):
    folder = f"{ROOT}/models/{name}-pico"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    tokens = load_file(f"{folder}/oracle.safetensors")["tokens"]
    layers = model.config.num_hidden_layers
    return {
        "baseline": loss(model, tokens, 0, 0),
        "losses": {str(n): [loss(model, tokens, i, n) for i in range(layers - n + 1)] for n in range(1, layers)},
    }


names = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]
with open(f"{ROOT}/compression/layer_losses.json", "w") as f:
    json.dump({name: model(name) for name in names}, f, indent=1)
    f.write("\n")
