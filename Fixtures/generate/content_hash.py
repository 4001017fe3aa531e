"""The content hash of models, by the rule in Checkpoint+ContentHash.swift, with hashlib.

The hyperparameters stand here as they are encoded: those that differ from the package's defaults.

  python content_hash.py        # prints what ContentHashTests.swift expects
"""

import hashlib
import json
import pathlib
import struct

MODELS = pathlib.Path(__file__).parents[1] / "models"
PIECE = 8 << 20
FULL = "full_attention"
LLAMA_PICO = {
    "contextLength": 64, "headDimension": 8, "hiddenSize": 32, "intermediateSize": 96, "keyValueHeadCount": 2,
    "layerCount": 3, "layerKinds": [FULL] * 3, "normEpsilon": 3e-05, "queryHeadCount": 4,
    "rotary": {"base": 7000.0, "dimension": 8}, "tiesHead": True, "vocabularySize": 104,
}
HYPERPARAMETERS = {
    "llama-pico": LLAMA_PICO,
    "llama-pico-bf16-sharded": LLAMA_PICO,
    "kjv-1m": {
        "contextLength": 256, "headDimension": 32, "hiddenSize": 96, "intermediateSize": 256, "keyValueHeadCount": 1,
        "layerCount": 12, "layerKinds": [FULL] * 12, "queryHeadCount": 3, "rotary": {"dimension": 32}, "tiesHead": True,
        "vocabularySize": 1024,
    },
}


def tensors(folder):
    result = {}
    for path in sorted(folder.glob("model*.safetensors")):
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        for name, entry in header.items():
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            result[name] = entry["dtype"], entry["shape"], data[start:end]
    return result


def content_hash(name):
    hyperparameters = json.dumps(HYPERPARAMETERS[name], separators=(",", ":"))
    model = hashlib.sha256(f"mtconv model 1\nllama\n{hyperparameters}\n".encode())
    for tensor, (dtype, shape, data) in sorted(tensors(MODELS / name).items()):
        rows = 1
        for size in shape[:-1]:
            rows *= size
        row = len(data) // rows
        step = max(1, PIECE // row) * row
        hasher = hashlib.sha256(f"{tensor} {dtype} {','.join(map(str, shape))}\n".encode())
        for start in range(0, len(data), step):
            hasher.update(hashlib.sha256(data[start : start + step]).digest())
        model.update(hasher.digest())
    return model.hexdigest()


for name in HYPERPARAMETERS:
    print(name, content_hash(name))
