"""Cuts by a plan: transformers and llama.cpp load what prune writes, and compute what the same cut by hand computes."""

import json

import gguf
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from support import *

folder = smollm2_hf()
tokenizer = AutoTokenizer.from_pretrained(folder)
config = json.loads((folder / "config.json").read_text())
HIDDEN, FFN, HEADS, GROUPS, SIZE = 576, 1536, 9, 3, 64
LAYERS = config["num_hidden_layers"]
ids = token_chunks(tokenizer, 1)[0][:128]
generator = np.random.default_rng(7)


def some(count, of):
    """`count` of `of` indices, in order."""
    return sorted(generator.choice(of, count, replace=False).tolist())


def whole_blocks(count, of, size=32):
    """Whole runs of 32: blocks of a quantized row that stay as they are."""
    return [b * size + i for b in some(count // size, of // size) for i in range(size)]


def plan(name, layers=range(LAYERS), hidden=None, ffn=None, groups=None):
    path = fresh(f"plans/{name}.json")
    kept = {}
    if hidden is not None:
        kept["hidden"] = hidden
    for layer in layers:
        if ffn is not None:
            kept[f"layers.{layer}.intermediate"] = ffn
        if groups is not None:
            kept[f"layers.{layer}.keyValueHead"] = groups
            kept[f"layers.{layer}.queryHead"] = [g * HEADS // GROUPS + i for g in groups for i in range(HEADS // GROUPS)]
    path.write_text(json.dumps(
        {"parentLayerCount": LAYERS, "keptLayers": list(layers), "keptIndices": kept, "criterion": "explicit"}))
    return path


def cut_by_hand(plan):
    """The model of transformers with the same indices taken, in F32."""
    plan = json.loads(plan.read_text())
    kept = plan["keptIndices"]
    source = load_file(folder / "model.safetensors")
    tensors = {}
    hidden = kept.get("hidden", list(range(HIDDEN)))
    for name, values in source.items():
        values = values.float()
        new = name
        if name.startswith("model.layers."):
            layer = int(name.split(".")[2])
            if layer not in plan["keptLayers"]:
                continue
            new = name.replace(f"layers.{layer}.", f"layers.{plan['keptLayers'].index(layer)}.")
            ffn = kept.get(f"layers.{layer}.intermediate", list(range(FFN)))
            heads = kept.get(f"layers.{layer}.queryHead", list(range(HEADS)))
            groups = kept.get(f"layers.{layer}.keyValueHead", list(range(GROUPS)))
            rows = lambda heads: [h * SIZE + i for h in heads for i in range(SIZE)]
            if "q_proj" in name:
                values = values[rows(heads)][:, hidden]
            elif "k_proj" in name or "v_proj" in name:
                values = values[rows(groups)][:, hidden]
            elif "o_proj" in name:
                values = values[hidden][:, rows(heads)]
            elif "down_proj" in name:
                values = values[hidden][:, ffn]
            elif "gate_proj" in name or "up_proj" in name:
                values = values[ffn][:, hidden]
            else:
                values = values[hidden]
        else:
            values = values[..., hidden]
        tensors[new] = values.contiguous()
    first = plan["keptLayers"][0]
    sizes = {
        "num_hidden_layers": len(plan["keptLayers"]), "hidden_size": len(hidden), "head_dim": SIZE,
        "intermediate_size": len(kept.get(f"layers.{first}.intermediate", range(FFN))),
        "num_attention_heads": len(kept.get(f"layers.{first}.queryHead", range(HEADS))),
        "num_key_value_heads": len(kept.get(f"layers.{first}.keyValueHead", range(GROUPS))),
    }
    path = fresh("by-hand")
    path.mkdir()
    (path / "config.json").write_text(json.dumps({**config, **sizes}))
    save_file(tensors, path / "model.safetensors", {"format": "pt"})
    return causal_model(path)


PLANS = {
    "depth": plan("depth", [i for i in range(LAYERS) if i not in (5, 6, 11, 17)]),
    "neurons": plan("neurons", ffn=some(1152, FFN)),
    # Six heads of 64 and 384 channels: llama.cpp and transformers want heads that divide the hidden size.
    "width": plan("width", hidden=some(384, HIDDEN), ffn=some(1024, FFN), groups=[0, 2]),
    "both": plan("both", list(range(0, LAYERS, 2)), hidden=whole_blocks(384, HIDDEN), ffn=whole_blocks(768, FFN), groups=[1, 2]),
}

for name, path in PLANS.items():
    by_hand = cut_by_hand(path)
    expected = torch_logits(by_hand, ids)
    out, out_gguf = fresh(f"pruned-{name}"), fresh(f"pruned-{name}.gguf")
    report = mtconv_json("prune", folder, "--plan", path, "-o", out)
    note(f"{name}: sizes", {s["name"]: (s["parent"], s["result"]) for s in report["sizes"] if s["parent"] != s["result"]})
    model = causal_model(out)
    check(f"{name}: transformers loads it", model.complaints or "no warnings", not model.complaints)
    error = nmse(torch_logits(model, ids), expected)
    check(f"{name}: transformers, ours against the cut by hand", f"NMSE {error:.1e}", error == 0)
    error = nmse(logits(out, ids), expected)
    check(f"{name}: our logits against the same, NMSE < 1e-9", f"{error:.1e}", error < 1e-9)
    mtconv("prune", folder, "--plan", path, "-o", out_gguf, "--dtype", "f32")
    engine = LlamaCpp(out_gguf)
    check(f"{name}: llama.cpp loads the GGUF", engine.log or "no complaints", not engine.log)
    for prompt in PROMPTS[:2]:
        tokens = tokenizer(prompt).input_ids
        theirs, reference = engine.greedy(tokens, 32), torch_greedy(by_hand, tokens, 32)
        check(f"{name}: greedy tokens of llama.cpp and transformers", f"{sum(a == b for a, b in zip(theirs, reference))} of 32 equal",
              theirs == reference)
    engine.model.close()

# Quantized files stay quantized; what is not cut through keeps its bytes.
q8 = fresh("smollm2-q8_0-in.gguf")
mtconv("convert", folder, q8, "--dtype", "q8_0")
for source in (SMOLLM2_GGUF, q8):
    kind = "Q4_1" if source == SMOLLM2_GGUF else "Q8_0"
    for name in ("depth", "neurons", "both"):
        out = fresh(f"pruned-{name}-{kind}.gguf")
        report = mtconv_json("prune", source, "--plan", PLANS[name], "-o", out)
        before = {t.name: t for t in gguf.GGUFReader(source).tensors}
        after = {t.name: t for t in gguf.GGUFReader(out).tensors}
        changed = report["formatChanges"]
        check(f"{kind} {name}: every tensor keeps its format", changed or report["format"], not changed)
        down = after["blk.0.ffn_down.weight"]
        if name == "depth":
            layers = json.loads(PLANS[name].read_text())["keptLayers"]
            same = all(np.array_equal(after[f"blk.{i}.{k}"].data, before[f"blk.{l}.{k}"].data) for i, l in enumerate(layers)
                       for k in ("ffn_down.weight", "attn_q.weight", "attn_k.weight", "ffn_norm.weight"))
            check(f"{kind} {name}: kept layers keep their bytes", "equal", same)
        if name == "both":
            taken = json.loads(PLANS[name].read_text())["keptIndices"]
            block = 20 if kind == "Q4_1" else 34
            numbers = [i // 32 for i in taken["layers.0.intermediate"][::32]]
            whole = before["blk.0.ffn_down.weight"].data[taken["hidden"]].reshape(len(taken["hidden"]), -1, block)
            check(f"{kind} {name}: whole blocks keep their bytes", down.data.shape,
                  np.array_equal(whole[:, numbers].reshape(len(taken["hidden"]), -1), down.data))
        engine = LlamaCpp(out)
        check(f"{kind} {name}: llama.cpp loads it", engine.log or "no complaints", not engine.log)
        # The same values without the runtime's rounding of activations.
        plain = fresh("plain")
        mtconv("convert", out, plain, "--dtype", "f32")
        reference = causal_model(plain)
        error = nmse(logits(out, ids), torch_logits(reference, ids))
        check(f"{kind} {name}: our logits of the file against transformers', NMSE < 1e-9", f"{error:.1e}", error < 1e-9)
        unpacked = fresh("unpacked.gguf")
        mtconv("convert", out, unpacked, "--dtype", "f32")
        engine.model.close()
        engine = LlamaCpp(unpacked)
        tokens = tokenizer(PROMPTS[0]).input_ids
        theirs, ours = engine.greedy(tokens, 24), torch_greedy(reference, tokens, 24)
        check(f"{kind} {name}: greedy tokens of llama.cpp and transformers", f"{sum(a == b for a, b in zip(theirs, ours))} of 24 equal",
              theirs == ours)
        engine.model.close()
        back = fresh(f"pruned-{name}-{kind}-hf")
        mtconv("prune", source, "--plan", PLANS[name], "-o", back)
        model = causal_model(back)
        check(f"{kind} {name}: GGUF to a directory, transformers loads it", model.complaints or "no warnings", not model.complaints)
        verified = mtconv_json("verify", source, out, "--text", text_path(), "--chunks", 1, "--context", 128)
        check(f"{kind} {name}: verify passes", verified["correctness"]["checks"], verified["passes"])
finish()
