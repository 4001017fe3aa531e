"""Dropping layers: what compress writes is what transformers computes without those layers, chosen as hooks would choose."""

import json

import numpy as np
import torch
from transformers import AutoTokenizer

from support import *

DROPPED = 8
CHUNKS = 4

folder = smollm2_hf()
tokenizer = AutoTokenizer.from_pretrained(folder)
model = causal_model(folder)
count = model.config.num_hidden_layers
chunks = token_chunks(tokenizer, CHUNKS)
# Rankings close at the edge may turn over between engines; what was measured may not.
ids = chunks[0][:128]


def compress(out, *options):
    return mtconv_json("compress", folder, out, "--calibration", text_path(), "--chunks", CHUNKS, "--sample", "start",
                       "--heldout-chunks", 1, *options)


# Importance: 1 − cos of what goes into a layer and what comes out, by hooks on the same tokens.
sums = [0.0] * count


def hook(index):
    def add(module, inputs, output):
        output = output[0] if isinstance(output, tuple) else output
        sums[index] += (1 - torch.cosine_similarity(inputs[0].double(), output.double(), dim=-1)).sum().item()

    return add


handles = [layer.register_forward_hook(hook(i)) for i, layer in enumerate(model.model.layers)]
with torch.inference_mode():
    for chunk in chunks:
        model.model(torch.tensor([chunk]), use_cache=False)
for handle in handles:
    handle.remove()
theirs = np.array(sums) / sum(map(len, chunks))

small = fresh("dropped-8")
report = compress(small, "--drop-layers", DROPPED, "--depth-by", "influence", "--no-heal")
pruning = json.loads((small / "mtconv.json").read_text())["pruning"]
ours = np.array(pruning["scores"])
error = float(np.max(np.abs(ours - theirs) / theirs))
check("block influence, ours against hooks, largest relative difference < 1e-4",
      f"{error:.1e} over {count} layers, {len(chunks)} × {len(chunks[0])} tokens", error < 1e-4)
kept = pruning["keptLayers"]
check("the layers that hooks would drop are dropped", sorted(set(range(count)) - set(kept)),
      sorted(np.argsort(theirs)[:DROPPED]) == sorted(set(range(count)) - set(kept)))

written = causal_model(small)
check("the smaller model loads", written.complaints or f"{written.config.num_hidden_layers} layers, no warnings",
      not written.complaints and written.config.num_hidden_layers == count - DROPPED)
model.model.layers = torch.nn.ModuleList([model.model.layers[i] for i in kept])
model.config.num_hidden_layers = len(kept)
for i, layer in enumerate(model.model.layers):
    layer.self_attn.layer_idx = i
by_hand = torch_logits(model, ids)
error = nmse(torch_logits(written, ids), by_hand)
check("layers removed by hand in transformers, NMSE < 1e-9", f"{error:.1e}", error < 1e-9)
error = nmse(logits(small, ids), by_hand)
check("our logits against the same, NMSE < 1e-9", f"{error:.1e}", error < 1e-9)

same = fresh("dropped-0")
compress(same, "--drop-layers", 0)
check("dropping no layer changes no byte of the weights", "model.safetensors equal",
      (same / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes())
check("nor any logit", "equal", np.array_equal(logits(same, ids), logits(folder, ids)))
finish()
