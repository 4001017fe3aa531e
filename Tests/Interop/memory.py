"""What a whole compression holds in memory, and how fast headers are read."""

import json
import os
import statistics
import struct
import subprocess
import time

from support import *


def measured(*arguments):
    """Seconds, seconds of all processors, and peak resident bytes (mapped pages included, as `/usr/bin/time -v` counts)."""
    start = time.perf_counter()
    process = subprocess.Popen([MTCONV, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"mtconv {arguments}: exit code {process.returncode}\n{errors}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def report(name, limit, *arguments):
    seconds, processor, peak = measured(*arguments, "--quiet")
    check(f"{name}: peak memory < {limit} MB", f"{peak / 1e6:.0f} MB, {seconds:.1f} s ({processor:.1f} s of processors)",
          peak < limit * 1e6)


text = text_path()
out = fresh("compressed")
report("compress --drop-layers 8 --fp8 of SmolLM2 Q4_1", 600, "compress", SMOLLM2_GGUF, out, "--drop-layers", 8, "--fp8",
       "--calibration", text)
report("convert GGUF Q4_1 to BF16", 700, "convert", SMOLLM2_GGUF, fresh("converted"))
report("convert HF BF16 to GGUF Q8_0", 700, "convert", smollm2_hf(), fresh("converted.gguf"), "--dtype", "q8_0")
report("perplexity of 20 chunks", 700, "perplexity", SMOLLM2_GGUF, "--text", text, "--chunks", 20)
report("verify against the parent", 700, "verify", SMOLLM2_GGUF, out, "--text", text)


def sparse_model(folder, layers=16, hidden=2048, inner=5632, heads=32, groups=8, vocabulary=49152):
    """A BF16 Llama of 1.9 GB that takes no room: a header, and a hole for the data."""
    size = hidden // heads
    shapes = {"model.embed_tokens.weight": [vocabulary, hidden], "lm_head.weight": [vocabulary, hidden],
              "model.norm.weight": [hidden]}
    for i in range(layers):
        for name, shape in {
            "self_attn.q_proj": [heads * size, hidden], "self_attn.k_proj": [groups * size, hidden],
            "self_attn.v_proj": [groups * size, hidden], "self_attn.o_proj": [hidden, heads * size],
            "mlp.gate_proj": [inner, hidden], "mlp.up_proj": [inner, hidden], "mlp.down_proj": [hidden, inner],
            "input_layernorm": [hidden], "post_attention_layernorm": [hidden],
        }.items():
            shapes[f"model.layers.{i}.{name}.weight"] = shape
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        end = offset + 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    folder.mkdir(parents=True)
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + offset)
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": inner,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": groups, "vocab_size": vocabulary,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": False, "torch_dtype": "bfloat16"}))


folder = fresh("sparse")
sparse_model(folder)
ids = fresh("ids.json")
ids.write_text(json.dumps([[(31 * i + 7 * j) % 49152 for j in range(512)] for i in range(128)]))
stats = fresh("sparse-stats.safetensors")
report("calibrate a 1.9 GB model on 128 × 512 tokens", 1200, "calibrate", folder, "--tokens", ids, "-o", stats)
report("the same with --work", 1200, "calibrate", folder, "--tokens", ids, "-o", stats, "--force", "--work", fresh("work"))
# Headers in the page cache are read at the speed of the processor; on a busy machine only its own seconds can be compared.
for name, path in {"a directory": folder, "a file": folder / "model.safetensors", "SmolLM2's GGUF": SMOLLM2_GGUF}.items():
    runs = [measured("inspect", path) for _ in range(41)]
    wall, processor = ([r[i] * 1e3 for r in runs] for i in (0, 1))
    size = sum(f.stat().st_size for f in ([path] if path.is_file() else path.iterdir()))
    check(f"inspect {name} of {size / 1e9:.2f} GB in < 20 ms of processors, the start of the process included",
          f"best {min(processor):.1f}, median {statistics.median(processor):.1f} ms; by the clock best {min(wall):.1f}, "
          f"median {statistics.median(wall):.1f} ms; {runs[0][2] / 1e6:.0f} MB", min(processor) < 20)
finish()
