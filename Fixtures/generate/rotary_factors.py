#!/usr/bin/env python3
"""Tables of Llama 3 rotary scaling as GGUF stores them in `rope_freqs.weight`, computed in 32-bit floats.

    python Fixtures/generate/rotary_factors.py  (numpy 2)

The formula is that of Llama 3.1 as llama.cpp's converter applies it; the parameters are those of released models and of
the pico fixture, and some that nobody released.
"""
import json
import math
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).parents[1] / "architectures" / "rotary_factors.json"
# name: base, dimension, factor, low, high, original context
CASES = {
    "Llama 3.1": (500000.0, 128, 8.0, 1.0, 4.0, 8192),
    "Llama 3.2": (500000.0, 64, 32.0, 1.0, 4.0, 8192),
    "llama-rope3-pico": (350.0, 16, 6.0, 1.0, 4.0, 32),
    "long head": (500000.0, 256, 8.0, 1.0, 4.0, 8192),
    "other high factor": (500000.0, 128, 16.0, 1.0, 8.0, 8192),
    "other context": (1000000.0, 128, 4.0, 1.0, 4.0, 32768),
    "fractional factor": (500000.0, 128, 2.7, 1.0, 4.0, 8192),
}


def table(base, dimension, factor, low, high, original) -> list[float]:
    one = np.float32(1)
    frequencies = one / np.float32(base) ** (np.arange(0, dimension, 2, dtype=np.float32) / np.float32(dimension))
    factors = []
    for frequency in frequencies:
        wavelength = np.float32(2 * math.pi) / frequency
        if wavelength < np.float32(original / high):
            factors.append(one)
        elif wavelength > np.float32(original / low):
            factors.append(np.float32(factor))
        else:
            smooth = (np.float32(original) / wavelength - np.float32(low)) / np.float32(high - low)
            factors.append(one / ((one - smooth) / np.float32(factor) + smooth))
    return [float(value) for value in factors]


rows = [
    json.dumps({"name": name, "base": c[0], "dimension": c[1], "factor": c[2], "low": c[3], "high": c[4],
                "original": c[5], "table": table(*c)})
    for name, c in CASES.items()
]  # fmt: skip
OUT.write_text("[\n" + ",\n".join(rows) + "\n]\n")
