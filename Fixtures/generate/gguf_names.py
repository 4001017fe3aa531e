#!/usr/bin/env python3
"""What GGUF makes of the pico checkpoints: names by gguf-py's tensor map, values by the documented transforms.

    python Fixtures/generate/gguf_names.py  (gguf 0.19.0, safetensors 0.8.0)

architectures/gguf_names.json: for each pico every Hugging Face tensor with its GGUF name and the FNV-1a checksum of its
values as F32 in a GGUF file: query and key rows of llama interleaved, norms of gemma2 and nemotron plus one.
architectures/rotary_rows.json: where the rows of such a matrix come from, made by reshape and swapaxes.
"""
import json
import pathlib

import numpy as np
from gguf import MODEL_ARCH, get_tensor_name_map
from safetensors.numpy import load_file

FIXTURES = pathlib.Path(__file__).parents[1]
ARCHITECTURES = {
    "llama": MODEL_ARCH.LLAMA, "qwen2": MODEL_ARCH.QWEN2, "qwen3": MODEL_ARCH.QWEN3, "gemma2": MODEL_ARCH.GEMMA2,
    "nemotron": MODEL_ARCH.NEMOTRON, "phi": MODEL_ARCH.PHI2,
}  # fmt: skip
PICOS = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]


def checksum(array: np.ndarray) -> str:
    value = 0xCBF29CE484222325
    for byte in np.ascontiguousarray(array, dtype="<f4").tobytes():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def interleaved(rows: np.ndarray, heads: int) -> np.ndarray:
    """As llama.cpp's converter: the halves of each head's rows, pair by pair."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def transformed(name: str, values: np.ndarray, config: dict) -> np.ndarray:
    family = config["model_type"]
    if family == "llama" and ".q_proj." in name:
        return interleaved(values, config["num_attention_heads"])
    if family == "llama" and ".k_proj." in name:
        return interleaved(values, config["num_key_value_heads"])
    if family in ("gemma2", "nemotron") and name.endswith("norm.weight"):
        return values + np.float32(1)
    return values


def pico(name: str) -> dict:
    directory = FIXTURES / "models" / f"{name}-pico"
    config = json.loads((directory / "config.json").read_text())
    names = get_tensor_name_map(ARCHITECTURES[config["model_type"]], config["num_hidden_layers"])
    rows = {}
    for tensor, values in sorted(load_file(directory / "model.safetensors").items()):
        rows[tensor] = {
            "gguf": names.get_name(tensor, try_suffixes=(".weight", ".bias")),
            "shape": list(values.shape),
            "checksum": checksum(transformed(tensor, values, config)),
        }
        assert rows[tensor]["gguf"], tensor
    return rows


def rotary_rows() -> list[dict]:
    cases = []
    for heads, size in [(1, 2), (1, 8), (2, 6), (3, 16), (9, 64), (4, 128)]:
        order = interleaved(np.arange(heads * size), heads)
        cases.append({"heads": heads, "headDimension": size, "toGGUF": order.tolist()})
    return cases


def write(name: str, value) -> None:
    path = FIXTURES / "architectures" / name
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(row)}" for key, row in value.items())
    path.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    write("gguf_names.json", {name: pico(name) for name in PICOS})
    write("rotary_rows.json", {f"{case['heads']}x{case['headDimension']}": case for case in rotary_rows()})
