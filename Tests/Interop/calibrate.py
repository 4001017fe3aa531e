"""Calibration: an importance matrix that llama.cpp quantizes with, and runs that are killed half-way and go on."""

import ctypes
import hashlib
import signal
import subprocess
import time

import gguf
import llama_cpp
import torch
from transformers import AutoTokenizer

from support import *

CHUNKS = 4
source = smollm2_hf()
text = text_path()
matrix, stats = fresh("imatrix.gguf"), fresh("stats.safetensors")
mtconv("calibrate", source, "--text", text, "--chunks", CHUNKS, "-o", stats, "--imatrix", matrix, "--quiet")

# What llama-imatrix writes: names, shapes, metadata (tools/imatrix/imatrix.cpp).
reader = gguf.GGUFReader(matrix)
fields = {key: reader.fields[key].contents() for key in reader.fields if not key.startswith("GGUF.")}
check("metadata", fields, fields == {"general.type": "imatrix", "imatrix.datasets": [text.name],
                                     "imatrix.chunk_count": CHUNKS, "imatrix.chunk_size": 512})
tensors = {t.name: np.array(t.data, np.float64) for t in reader.tensors}
whole = fresh("whole.gguf")
mtconv("convert", source, whole, "--dtype", "f32")
weights = {t.name: t for t in gguf.GGUFReader(whole).tensors if t.name.startswith("blk.") and len(t.shape) == 2}
sizes = {name: len(tensors[name + ".in_sum2"]) for name in weights if name + ".in_sum2" in tensors}
check("a sum for every column of every linear weight", f"{len(sizes)} weights",
      sizes == {name: int(t.shape[0]) for name, t in weights.items()} and len(tensors) == 3 * len(weights))
check("counts are tokens", CHUNKS * 512, all(float(tensors[n + ".counts"][0]) == CHUNKS * 512 for n in weights))

# The same sums by forward hooks.
model = causal_model(source)
sums = {}
names = {"self_attn.q_proj": "attn_q", "self_attn.o_proj": "attn_output", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
for layer, block in enumerate(model.model.layers):
    for module, name in names.items():
        def add(_, inputs, key=f"blk.{layer}.{name}.weight"):
            sums[key] = sums.get(key, 0) + inputs[0].double().pow(2).sum((0, 1)).numpy()
        block.get_submodule(module).register_forward_pre_hook(add)
with torch.inference_mode():
    for chunk in token_chunks(AutoTokenizer.from_pretrained(source), CHUNKS):
        model(torch.tensor([chunk]), use_cache=False)
# Both are F32 passes of 30 layers: single channels differ by what rounding makes of them.
worst = max(nmse(tensors[name + ".in_sum2"], values) ** 0.5 for name, values in sums.items())
check("sums of squares equal those of forward hooks", f"{worst:.1e} relative at worst", worst < 1e-4)
del model


def quantized(out, importance=None):
    """Q4_0 by llama.cpp, with an importance matrix as llama-quantize hands it over: means, 1 where nothing was counted."""
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype, parameters.nthread = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0, os.cpu_count()
    if importance:
        entry = llama_cpp.llama_cpp.llama_model_imatrix_data
        entries = (entry * (len(importance) + 1))()
        kept = []
        for place, (name, values) in zip(entries, importance.items()):
            data = values.astype(np.float32)
            kept.append(data)
            place.name, place.size = name.encode(), len(data)
            place.data = data.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        parameters.imatrix = entries
    code = llama_cpp.llama_model_quantize(str(whole).encode(), str(out).encode(), ctypes.byref(parameters))
    check(f"llama.cpp quantizes {'with the matrix' if importance else 'without'}", f"exit code {code}", code == 0)
    return {t.name: t for t in gguf.GGUFReader(out).tensors}


importance = {name: tensors[name + ".in_sum2"] / tensors[name + ".counts"][0] for name in weights}
plain, weighed = quantized(fresh("plain.gguf")), quantized(fresh("weighed.gguf"), importance)


def error(model, name):
    """What rounding does to a product, in the mean over the text, if columns are independent."""
    exact = np.array(weights[name].data, np.float64)
    values = gguf.dequantize(model[name].data, model[name].tensor_type).astype(np.float64)
    return float((((values - exact) ** 2) @ importance[name]).sum())


ratios = [error(weighed, name) / error(plain, name) for name in weights if name.endswith("ffn_down.weight")]
check("its rounding error, weighed by the matrix, falls", f"× {np.mean(ratios):.3f} over {len(ratios)} down projections",
      np.mean(ratios) < 0.95)

# Killed after some blocks, then given again: the same bytes.
arguments = ["calibrate", source, "--text", text, "--chunks", CHUNKS, "--layer-loss", "--layer-loss-tokens", 512]
expected = fresh("expected.safetensors")
mtconv(*arguments, "-o", expected, "--quiet")
work, out = fresh("work"), fresh("resumed.safetensors")
kills = 0
while True:
    process = subprocess.Popen([MTCONV, *map(str, arguments), "-o", str(out), "--work", str(work), "--quiet"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    state, seen = work / "state.safetensors", 0
    began = state.stat().st_mtime_ns if state.exists() else 0
    while process.poll() is None and kills < 3:
        if state.exists() and state.stat().st_mtime_ns != began:
            seen, began = seen + 1, state.stat().st_mtime_ns
        if seen == 5:
            process.send_signal(signal.SIGKILL)
            kills += 1
            break
        time.sleep(0.005)
    if process.wait() == 0:
        break
same = hashlib.sha256(out.read_bytes()).digest() == hashlib.sha256(expected.read_bytes()).digest()
check("a run that was killed goes on to the same bytes", f"{kills} kills", same and kills == 3)
check("its folder is gone then", work, not work.exists())
finish()
