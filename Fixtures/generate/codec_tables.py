#!/usr/bin/env python3
"""Writes Fixtures/codecs: what other implementations make of every number format that TensorFormats converts.

Run by hand with: numpy 2.x, ml_dtypes 0.6.0, torch 2.13 or later (it saturates when it casts to E4M3), gguf 0.19.0.
With `--ggml libggml-base.so` the GGML blocks are also compared with the C reference quantizers (llama.cpp, ggml 0.25.3).

The inputs of the scalar formats are not stored: tests regenerate them from the rules of `scalar_inputs` below.
NaNs: outputs are compared as sign and NaN-ness; each NaN is stored as the canonical quiet one of its format (`canonical`).
BF16 encoding alone is compared with all NaN bits (gguf keeps the upper payload and sets the quiet bit).
"""
import argparse
import ctypes
import json
from pathlib import Path

import gguf
import ml_dtypes
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type

FOLDER = Path(__file__).resolve().parent.parent / "codecs"
CANONICAL_NAN = {"f32": 0x7FC00000, "f16": 0x7E00, "bf16": 0x7FC0, "e4m3": 0x7F, "e5m2": 0x7F}


def lcg(state):
    return (state * 1664525 + 1013904223) & 0xFFFFFFFF


def scalar_inputs(specials):
    """4096 arbitrary bit patterns, 8192 ties and neighbours of ties, and the specials. Mirrored in ScalarInputs.swift."""
    patterns, state = [], 1
    for _ in range(4096):
        state = lcg(state)
        patterns.append(state)
    tie_shapes = [(0x7FE000, 0x1000), (0x7F0000, 0x8000), (0x700000, 0x80000), (0x600000, 0x100000)]
    for i in range(8192):
        state = lcg(state)
        mask, half = tie_shapes[i % 4]
        exponent = 100 + (state >> 24) % 46
        pattern = (state & 0x80000000) ^ ((state << 9) & 0x80000000) | exponent << 23 | state & mask | half
        patterns.append(pattern + [0, 1, -1, 0][i // 4 % 4])
    return np.array(patterns + specials, dtype=np.uint32)


def special_patterns():
    values = [0.0, np.inf, 2.0**-149, 2.0**-126, 3.4028235e38, 65504, 65519.996, 65520, 65536, 57344, 61439.996, 61440]
    values += [448, 464, 464.00003, 463.99997, 480, 479.99997, 500, 1e9, 240, 2.0**-6, 2.0**-9, 2.0**-10, 2.0**-14, 2.0**-16]
    values += [2.0**-17, 2.0**-24, 2.0**-25, 3 * 2.0**-25, 1, 2, 0.1]
    patterns = [int(np.float32(v).view(np.uint32)) for v in values]
    patterns += [p + 1 for p in patterns[2:]] + [p - 1 for p in patterns[2:]]
    patterns += [0x7FC00000, 0x7F800001, 0x7FFFFFFF, 0x7FC12345, 0x7FA00000]
    return sorted(set(patterns + [p | 0x80000000 for p in patterns]))


def canonical(bits, name):
    """Replaces every NaN by the canonical one, sign kept."""
    width = bits.dtype.itemsize * 8
    sign = bits & bits.dtype.type(1 << (width - 1))
    magnitude = bits & bits.dtype.type((1 << (width - 1)) - 1)
    infinity = {"f32": 0x7F800000, "f16": 0x7C00, "bf16": 0x7F80, "e4m3": 0x7E, "e5m2": 0x7C}[name]
    return np.where(magnitude > infinity, sign | bits.dtype.type(CANONICAL_NAN[name]), bits).astype(bits.dtype)


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def e4m3_saturating(x):
    codes = torch.from_numpy(x.copy()).to(torch.float8_e4m3fn).view(torch.uint8).numpy()
    assert codes[np.isposinf(x)].tolist() == [0x7E] * int(np.isposinf(x).sum()), "this torch does not saturate"
    return canonical(with_sign_of(codes, x), "e4m3")


def e4m3_not_a_number(x):
    with np.errstate(all="ignore"):
        return canonical(with_sign_of(x.astype(ml_dtypes.float8_e4m3fn).view(np.uint8), x), "e4m3")


def e5m2(x):
    with np.errstate(all="ignore"):
        codes = canonical(x.astype(ml_dtypes.float8_e5m2).view(np.uint8), "e5m2")
    other = canonical(torch.from_numpy(x.copy()).to(torch.float8_e5m2).view(torch.uint8).numpy(), "e5m2")
    assert np.array_equal(with_sign_of(codes, x), with_sign_of(other, x)), "torch and ml_dtypes differ on E5M2"
    return with_sign_of(codes, x)


def with_sign_of(codes, x):
    """NaN codes with the sign of the number they come from: the peers disagree about it."""
    sign = (x.view(np.uint32) >> 24).astype(np.uint8) & 0x80
    return np.where(np.isnan(x), (codes & 0x7F) | sign, codes).astype(np.uint8)


def write(name, array):
    (FOLDER / name).write_bytes(array.tobytes())


def scalar_tables(manifest):
    with np.errstate(all="ignore"):
        every = np.arange(65536, dtype=np.uint32).astype(np.uint16)
        wide = {"bf16": every.view(ml_dtypes.bfloat16).astype(np.float32), "f16": every.view(np.float16).astype(np.float32)}
    codes = np.arange(256, dtype=np.uint32).astype(np.uint8)
    write("e4m3.f32", canonical(codes.view(ml_dtypes.float8_e4m3fn).astype(np.float32).view(np.uint32), "f32"))
    write("e5m2.f32", canonical(codes.view(ml_dtypes.float8_e5m2).astype(np.float32).view(np.uint32), "f32"))
    manifest["every_pattern"] = {
        name: {
            "f32": fnv(canonical(x.view(np.uint32), "f32").tobytes()),
            "e4m3_saturate": fnv(e4m3_saturating(x).tobytes()),
            "e4m3_not_a_number": fnv(e4m3_not_a_number(x).tobytes()),
            "e5m2": fnv(e5m2(x).tobytes()),
        }
        for name, x in wide.items()
    }
    specials = special_patterns()
    inputs = scalar_inputs(specials)
    x = inputs.view(np.float32)
    manifest["scalars"] = {"count": len(inputs), "specials": specials, "inputs": fnv(inputs.tobytes())}
    with np.errstate(all="ignore"):
        write("scalars.f16", canonical(x.astype(np.float16).view(np.uint16), "f16"))
    write("scalars.bf16", gguf.quants.quantize(x, Type.BF16))
    write("scalars.e4m3_saturate", e4m3_saturating(x))
    write("scalars.e4m3_not_a_number", e4m3_not_a_number(x))
    write("scalars.e5m2", e5m2(x))
    manifest["e4m3_divided"] = []
    for divisor in [np.float32(d) for d in (0.0031, 1 / 3, 7, 2.0**-100, 1e30, 2.0**-140)]:
        with np.errstate(all="ignore"):
            quotient = torch.from_numpy((x / divisor).copy())
        clamped = torch.clamp(quotient, -448, 448).numpy()
        clamped = np.where(np.isnan(x), x, clamped)
        row = {"divisor": int(divisor.view(np.uint32)), "codes": fnv(e4m3_saturating(clamped).tobytes())}
        manifest["e4m3_divided"].append(row)


def blocks():
    """Blocks of 32 numbers of every kind a quantizer can stumble over; no infinities or NaNs."""
    rng = np.random.default_rng(20240601)
    rows = []
    for scale in (1, 0.02, 100, 1e-4, 3e-7, 1e-12, 1e4, 3e5, 1e20, 1e30, 1e37):
        rows += list((rng.standard_normal((12, 32)) * scale).astype(np.float32))
    for value in (0.0, -0.0, 1, -1, 0.1, -0.1, 3e38, -3e38, 1e-40, 1.4e-45, 65504 * 127.0, 65520 * 127.0, 65520 * 8.0):
        rows.append(np.full(32, value, dtype=np.float32))
    halves = np.arange(-16, 16, dtype=np.float32) + 0.5
    for extreme in (127, -127, 8, -8, 15, 63.5):  # many exact ties
        for step in (0.5, 1, 4):
            row = halves * np.float32(step)
            row[3] = extreme * step
            rows.append(row.astype(np.float32))
    for exponent in range(-149, -118, 2):  # scales that are subnormal or have no inverse
        rows.append((rng.standard_normal(32) * 2.0**exponent * 16).astype(np.float32))
    for exponent in range(-30, -8, 2):  # scales that are subnormal in F16
        rows.append((rng.standard_normal(32) * 2.0**exponent).astype(np.float32))
    for sign in (1, -1):  # opposite extremes of equal size, maximum minus minimum overflows
        row = rng.standard_normal(32).astype(np.float32)
        row[5], row[20] = sign * 3e38, -sign * 3e38
        rows.append(row)
        row = row / np.float32(1e38)
        row[5], row[20] = sign * 7, -sign * 7
        rows.append(row)
    for spike in (1e-3, 1, 1e3):
        row = np.zeros(32, dtype=np.float32)
        row[int(spike) % 32] = -spike
        rows.append(row)
    rows += list((rng.standard_normal((24, 32)) * np.exp(rng.standard_normal((24, 32)) * 2)).astype(np.float32))
    return np.stack(rows)


def block_tables(manifest, library):
    x = blocks()
    write("blocks.f32", x)
    manifest["blocks"] = {"count": len(x)}
    for name, qtype in (("q8_0", Type.Q8_0), ("q4_0", Type.Q4_0), ("q4_1", Type.Q4_1)):
        with np.errstate(all="ignore"):
            encoded = gguf.quants.quantize(x, qtype)
            if name == "q4_0":  # of a block of -0.0, gguf-py makes the scale +0.0, the C quantizer -0.0 as of one of 0.0
                encoded[(x == 0).all(axis=1), :2] = (0x00, 0x80)
            decoded = gguf.quants.dequantize(encoded, qtype)
        if library:
            compare_with_ggml(library, name, x, encoded, decoded)
        write(f"blocks.{name}", encoded)
        manifest["blocks"][name] = fnv(canonical(decoded.view(np.uint32), "f32").tobytes())
        # Any bytes at all are a block: 64 arbitrary ones, decoded; NaNs (infinite scales make some) without their sign.
        state, raw = 7, bytearray()
        while len(raw) < 64 * encoded.shape[1]:
            state = lcg(state)
            raw.append(state >> 24)
        with np.errstate(all="ignore"):
            decoded = gguf.quants.dequantize(np.frombuffer(bytes(raw), dtype=np.uint8).reshape(64, -1), qtype)
        bits = np.where(np.isnan(decoded), np.uint32(CANONICAL_NAN["f32"]), decoded.view(np.uint32))
        manifest["blocks"][name + "_arbitrary"] = fnv(bits.astype(np.uint32).tobytes())


def compare_with_ggml(path, name, x, encoded, decoded):
    ggml = ctypes.CDLL(path)
    mine = np.zeros_like(encoded)
    values = np.zeros_like(x)
    pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)
    getattr(ggml, f"quantize_row_{name}_ref")(pointer(x), pointer(mine), ctypes.c_int64(x.size))
    getattr(ggml, f"dequantize_row_{name}")(pointer(encoded), pointer(values), ctypes.c_int64(x.size))
    for row in np.nonzero((mine != encoded).any(axis=1))[0]:
        print(f"{name}: block {row} differs from the C quantizer:", x[row][:4], mine[row].tobytes().hex(), encoded[row].tobytes().hex())
    same = canonical(values.view(np.uint32), "f32") == canonical(decoded.view(np.uint32), "f32")
    print(name, "decoding equals C:", bool(same.all()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ggml", help="path of libggml-base.so, to compare with")
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    versions = {m.__name__: m.__version__ for m in (np, ml_dtypes, torch)} | {"gguf": "0.19.0"}
    manifest = {"made_with": versions, "checksum": "FNV-1a 64 over little-endian bytes"}
    scalar_tables(manifest)
    block_tables(manifest, arguments.ggml)
    sizes = {t.name: list(size) for t, size in gguf.constants.GGML_QUANT_SIZES.items()}
    manifest["ggml_quant_sizes"] = sizes
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


main()
