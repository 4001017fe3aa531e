"""A model of every family, as GGUF in llama.cpp: its logits against ours.

Two of the models are fitted to what llama.cpp can run: it fixes Gemma 2's query scale, and wants Nemotron's query heads to be as wide
together as the hidden state. The models have no vocabulary; llama.cpp makes one up and says so.
"""

import json
import shutil

from support import *

# Normalized mean square error. llama.cpp evaluates GELU through an F16 table.
FAMILIES = {
    "llama-pico": 1e-9, "llama-rope3-pico": 1e-9, "qwen2-pico": 1e-9, "qwen3-pico": 1e-9, "gemma2-pico": 1e-5,
    "nemotron-pico": 1e-9, "phi-pico": 1e-5, "kjv-1m": 1e-9,
}

EXPECTED_WORDS = ("dummy tokens", "training context overflow", "full-size SWA cache")


for family, limit in FAMILIES.items():
    folder = fresh(f"{family}-runtime")
    shutil.copytree(FIXTURES / "models" / family, folder)
    config = json.loads((folder / "config.json").read_text())
    fit_to_llama_cpp(folder, config)
    path = fresh(f"{family}-runtime.gguf")
    mtconv("convert", folder, path, "--dtype", "f32")
    try:
        engine = LlamaCpp(path, 64)
    except ValueError as error:
        check(f"{family}: llama.cpp loads it", error, False)
        continue
    ids = [(7 * i * i + 3 * i + 5) % (config["vocab_size"] - 3) + 3 for i in range(48)]
    ours, theirs = logits(path, ids), engine.logits(ids)
    error = nmse(theirs, ours)
    difference = abs(theirs - ours).max()
    check(f"{family}: llama.cpp's logits against ours, NMSE < {limit:.0e}", f"{error:.1e}, largest difference {difference:.1e}",
          error < limit)
    complaints = [line for line in engine.log if not any(words in line for words in EXPECTED_WORDS)]
    if complaints:
        check(f"{family}: llama.cpp does not complain", complaints, False)
    engine.model.close()
finish()
