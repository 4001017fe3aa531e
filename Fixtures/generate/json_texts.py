#!/usr/bin/env python3
"""Writes Fixtures/json: one document as Python's json module lays it out, for the tests of the JSON writer.

Run by hand with Python 3.11 or later; needs nothing else.
"""
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "json"

DOCUMENT = {
    "empty": {"object": {}, "array": [], "string": "", "": "empty key"},
    "words": [True, False, None],
    "integers": [0, -1, 42, 2**53 + 1, -(2**63), 2**64 - 1, 10**30],
    "floats": [0.0, -0.0, 1.0, 0.1, 1e-05, 1e16, 1.5e300, 5e-324, 1000000.0, 123456789.125, 1e-06, 10000.0],
    "nested": [[[]], [[1, [2, {"a": [3, {}]}]]], {"b": {"c": {"d": []}}}],
    "controls": "".join(map(chr, range(0x20))) + "\x7f\x80\x9f",
    "escapes": 'quote " backslash \\ slash / and <html> & \' more',
    "unicode": "é e\u0301 Ω 漢字 \u2028\u2029 😀 \ufeff \ufffd \uffff \U0010ffff",
    "é": "composed key",
    "e\u0301": "decomposed key",
    "order": {"z": 1, "a": 2, "m": 3, "10": 4, "9": 5},
    "config": {"rms_norm_eps": 1e-05, "rope_theta": 100000.0, "architectures": ["LlamaForCausalLM"], "eos": [2, 3]},
}


def main():
    FOLDER.mkdir(exist_ok=True)
    styles = {
        "indented.json": dict(indent=2, ensure_ascii=False),
        "compact.json": dict(separators=(",", ":"), ensure_ascii=False),
        "indented-ascii.json": dict(indent=2),
        "compact-ascii.json": dict(separators=(",", ":")),
    }
    for name, style in styles.items():
        (FOLDER / name).write_bytes(json.dumps(DOCUMENT, **style).encode("utf-8"))


main()
