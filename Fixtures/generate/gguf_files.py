"""Makes Fixtures/gguf: valid files by gguf-py's writer, hostile files by hand, and what the two reference readers say of each.

    python gguf_files.py            # writes ../gguf
Needs gguf==0.19.0, numpy, and llama-cpp-python==0.3.36 (ggml 0.25.3), whose library is asked through ctypes.

`valid/` and `invalid/` hold one file per case, `sets/` the split models, `manifest.json` what is in them:
  valid    version, byte order, alignment, metadata as [key, type, [element type], values], tensors; from gguf-py's reader
           where it can read the file, else from this script
  invalid  the error code of this package, and the verdicts of gguf-py and ggml on the same file
Values are spelled so that nothing is lost: integers and booleans as decimals, floats by their bits in hexadecimal, strings as
the hexadecimal of their bytes.
"""

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFEndian, GGUFReader, GGUFValueType, GGUFWriter

ROOT = Path(__file__).resolve().parent.parent / "gguf"
T, V = GGMLQuantizationType, GGUFValueType
F32, F16, Q4_0, I8, I16, I64, F64 = 0, 1, 2, 24, 25, 27, 28


# ---- A GGUF file by hand: every function takes the defect as an argument. ----

def string(text, length=None, order="<"):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack(order + "Q", len(data) if length is None else length) + data


def pair(key, kind, payload, length=None, order="<"):
    return string(key, length, order) + struct.pack(order + "I", kind) + payload


def u32(key, value):
    return pair(key, V.UINT32, struct.pack("<I", value))


def array(key, kind, count, payload):
    return pair(key, V.ARRAY, struct.pack("<IQ", kind, count) + payload)


def info(name, sizes, kind=F32, offset=0, dimensions=None, length=None):
    count = len(sizes) if dimensions is None else dimensions
    packed = b"".join(struct.pack("<Q", size % 2**64) for size in sizes)
    return string(name, length) + struct.pack("<I", count) + packed + struct.pack("<IQ", kind, offset)


def gguf(pairs=(), tensors=(), data=b"", magic=b"GGUF", version=3, keys=None, count=None, alignment=32, pad=True, order="<"):
    head = magic + struct.pack(
        order + "IQQ", version,
        (len(tensors) if count is None else count) % 2**64, (len(pairs) if keys is None else keys) % 2**64)
    head += b"".join(pairs) + b"".join(tensors)
    if pad and tensors:
        head += bytes(-len(head) % alignment)
    return head + data


NAME = pair("general.name", V.STRING, string("a model"))
ONE = struct.pack("<f", 1.0)
X = np.arange(8, dtype="<f4").tobytes()  # the data of a tensor of eight floats: exactly one unit of alignment


def huge(*kinds_and_sizes):
    """A file that says its tensors follow each other and holds none of their data."""
    return gguf([NAME], [info(f"t{i}", sizes, kind, offset) for i, (kind, sizes, offset) in enumerate(kinds_and_sizes)], X)


def invalid_files():
    """(file, code of this package, bytes)"""
    good = gguf([NAME], [info("x", [8])], X)
    unpadded = gguf([NAME], [info("xyz", [8])], pad=False)
    assert len(unpadded) % 32 != 0
    yield from [
        # Header
        ("empty-file", "magic", b""),
        ("magic-short", "magic", b"GG"),
        ("magic-wrong", "magic", gguf([NAME], magic=b"GGML")),
        ("version-0", "version", gguf([NAME], version=0)),
        ("version-4", "version", gguf([NAME], version=4)),
        ("version-big-endian-4", "version", gguf(version=4, order=">")),
        ("version-huge", "version", gguf([NAME], version=0x12345678)),
        ("version-1", "version1", gguf([NAME], version=1)),
        ("version-1-big-endian", "version1", gguf(version=1, order=">")),
        ("truncated-version", "truncated", good[:6]),
        ("truncated-tensor-count", "truncated", good[:15]),
        ("truncated-key-count", "truncated", good[:23]),
        ("tensor-count-2-60", "tensorCount", gguf([NAME], [info("x", [8])], X, count=2**60)),
        ("tensor-count-negative", "tensorCount", gguf([NAME], [info("x", [8])], X, count=-1)),
        ("tensor-count-wraps", "tensorCount", gguf([NAME], [info("x", [8])], X, count=2**64 // 400 + 1)),
        ("tensor-count-10", "tensorCount", gguf([NAME], [info("x", [8])], X, count=10)),
        ("key-count-2-60", "keyValueCount", gguf([NAME], keys=2**60)),
        ("key-count-negative", "keyValueCount", gguf([NAME], keys=-1)),
        ("key-count-10", "keyValueCount", gguf([NAME], keys=10)),
        # Metadata
        ("key-size-max", "stringLength", gguf([pair("a", V.UINT32, ONE, length=2**64 - 1)])),
        ("key-size-over-file", "truncated", gguf([pair("abc", V.UINT32, ONE, length=100)])),
        ("key-empty", "keyEmpty", gguf([u32("", 1)])),
        ("key-65536", "keyLength", gguf([u32("a" * 65536, 1)])),
        ("key-not-utf8", "keyEncoding", gguf([u32(b"a\xff\xfe", 1)])),
        ("key-duplicate", "duplicateKey", gguf([NAME, NAME])),
        ("value-type-13", "valueType", gguf([pair("a", 13, bytes(8))])),
        ("value-type-max", "valueType", gguf([pair("a", 2**32 - 1, bytes(8))])),
        ("array-type-13", "valueType", gguf([array("a", 13, 1, bytes(8))])),
        ("array-nested", "nestedArray", gguf([array("a", V.ARRAY, 1, struct.pack("<IQ", V.UINT8, 1) + b"\x01")])),
        ("array-count-max", "arrayLength", gguf([array("a", V.UINT8, 2**64 - 1, bytes(8))])),
        ("array-count-2-30-1", "arrayLength", gguf([array("a", V.UINT8, 2**30 + 1, bytes(8))])),
        ("array-count-wraps", "arrayLength", gguf([array("a", V.UINT64, 2**61 + 1, bytes(8))])),
        ("array-count-over-file", "truncated", gguf([array("a", V.UINT64, 2**29, bytes(8))])),
        ("array-strings-over-file", "truncated", gguf([array("a", V.STRING, 2**30, string("b"))])),
        ("array-string-size-max", "stringLength", gguf([array("a", V.STRING, 2, string("b") + string("c", 2**64 - 8))])),
        ("string-size-2-60", "stringLength", gguf([pair("a", V.STRING, string("b", 2**60))])),
        ("string-size-over-file", "truncated", gguf([pair("a", V.STRING, string("b", 2**20))])),
        ("truncated-value-type", "truncated", gguf([u32("general.alignment", 32)])[:-6]),
        ("truncated-value", "truncated", gguf([u32("general.alignment", 32)])[:-1]),
        ("truncated-array-count", "truncated", gguf([array("a.long.key", V.UINT8, 1, b"")])[:-1]),
        ("truncated-array", "truncated", gguf([array("a", V.UINT16, 3, bytes(5))])),
        ("bool-2", "boolValue", gguf([pair("a", V.BOOL, b"\x02")])),
        ("bool-array-2", "boolValue", gguf([array("a", V.BOOL, 3, b"\x00\x01\x02")])),
        ("alignment-u64", "alignmentType", gguf([pair("general.alignment", V.UINT64, struct.pack("<Q", 32))])),
        ("alignment-string", "alignmentType", gguf([pair("general.alignment", V.STRING, string("32"))])),
        ("alignment-array", "alignmentType", gguf([array("general.alignment", V.UINT32, 1, struct.pack("<I", 32))])),
        ("alignment-0", "alignmentValue", gguf([u32("general.alignment", 0)])),
        ("alignment-13", "alignmentValue", gguf([u32("general.alignment", 13)], [info("x", [8])], X, alignment=13)),
        # Tensor table
        ("name-64", "tensorNameLength", gguf([NAME], [info("n" * 64, [8])], X)),
        ("name-size-max", "stringLength", gguf([NAME], [info("x", [8], length=2**64 - 1)], X)),
        ("name-size-over-file", "truncated", gguf([NAME], [info("x", [8], length=4096)], X)),
        ("name-not-utf8", "tensorNameEncoding", gguf([NAME], [info(b"x\xc0\x80", [8])], X)),
        ("name-duplicate", "duplicateTensor", gguf([NAME], [info("x", [8]), info("x", [8], offset=32)], X + X)),
        ("dimensions-5", "dimensionCount", gguf([NAME], [info("x", [2, 2, 2, 1, 1])], X)),
        ("dimensions-max", "dimensionCount", gguf([NAME], [info("x", [8], dimensions=2**32 - 1)], X)),
        ("dimension-negative", "dimension", gguf([NAME], [info("x", [-1])], X)),
        ("dimension-negative-pair", "dimension", gguf([NAME], [info("x", [-8, -1])], X)),
        ("shape-wraps-to-0", "elementCount", huge((I8, [2**32, 2**32], 0))),
        ("shape-wraps-to-small", "elementCount", huge((F32, [2**61 + 1, 8], 0))),
        ("shape-wraps-negative", "elementCount", huge((I8, [2**62, 2], 0))),
        ("shape-overflow-hidden-by-0", "elementCount", huge((I8, [2**62, 4, 0], 0))),
        ("type-43", "elementType", gguf([NAME], [info("x", [8], 43)], X)),
        ("type-max", "elementType", gguf([NAME], [info("x", [8], 2**32 - 1)], X)),
        ("type-removed-4", "removedElementType", gguf([NAME], [info("x", [32], 4)], X)),
        ("type-removed-31", "removedElementType", gguf([NAME], [info("x", [32], 31)], X)),
        ("type-removed-36", "removedElementType", gguf([NAME], [info("x", [32], 36)], X)),
        ("row-not-whole-blocks", "rowLength", gguf([NAME], [info("x", [33], Q4_0)], bytes(64))),
        ("row-whole-only-in-total", "rowLength", gguf([NAME], [info("x", [16, 2], Q4_0)], bytes(32))),
        ("bytes-overflow", "byteCount", huge((F64, [2**61 - 1, 2], 0))),
        ("bytes-wrap-to-small", "byteCount", huge((F64, [2**61 + 4], 0))),
        ("padding-overflow", "paddingOverflow", huge((I8, [2**63 - 2], 0))),
        ("sum-overflow", "dataSizeOverflow", huge((I8, [2**62], 0), (I8, [2**62], 2**62))),
        ("sum-wraps-to-small", "dataSizeOverflow", huge((I8, [2**62], 0), (I8, [2**61], 2**62), (I8, [2**61 + 32], 2**62 + 2**61))),
        ("offset-unaligned", "tensorOffset", gguf([NAME], [info("x", [8], offset=1)], X + X)),
        ("offset-hole", "tensorOffset", gguf([NAME], [info("x", [8], offset=32)], X + X)),
        ("offset-overlap", "tensorOffset", gguf([NAME], [info("x", [8]), info("y", [8], offset=0)], X + X)),
        ("offset-reordered", "tensorOffset", gguf([NAME], [info("x", [8], offset=32), info("y", [8], offset=0)], X + X)),
        ("offset-beyond-file", "tensorOffset", gguf([NAME], [info("x", [8], offset=2**60)], X)),
        ("offset-wraps", "tensorOffset", gguf([NAME], [info("x", [8], offset=2**64 - 32)], X)),
        ("offset-other-alignment", "tensorOffset", gguf(
            [u32("general.alignment", 64)], [info("x", [8]), info("y", [8], offset=32)], X + X, alignment=64)),
        # Data
        ("data-missing", "dataMissing", unpadded),
        ("data-missing-huge-alignment", "dataMissing", gguf([u32("general.alignment", 2**31)], [info("x", [8])], X, pad=False)),
        ("data-truncated-by-1", "dataTruncated", good[:-1]),
        ("data-empty", "dataTruncated", good[:-len(X)]),
        ("data-larger-than-file", "dataTruncated", gguf([NAME], [info("x", [2**20, 64])], X)),
        ("data-last-beyond-file", "dataTruncated", gguf([NAME], [info("x", [8]), info("y", [8], offset=32)], X)),
    ]
    row = len(info("x", [8]))
    for what, cut in [("name-size", 4), ("name", 8), ("dimension-count", 11), ("dimension", 20)]:
        # A long key before the table would be enough room for the count; here a second row makes the room.
        rows = gguf([NAME], [info("w" * 40, [8]), info("x", [8], offset=32)], pad=False)
        yield f"truncated-tensor-{what}", "truncated", rows[: len(rows) - row + cut]
    rows = gguf([NAME], [info("w" * 40, [8])], pad=False)
    yield "truncated-tensor-type", "truncated", rows[:-10]
    yield "truncated-tensor-offset", "truncated", rows[:-1]


# ---- Valid files. ----

SCALARS = [
    ("u8", V.UINT8, [0, 255]), ("i8", V.INT8, [-128, 127]), ("u16", V.UINT16, [0, 65535]), ("i16", V.INT16, [-32768, 32767]),
    ("u32", V.UINT32, [0, 2**32 - 1]), ("i32", V.INT32, [-2**31, 2**31 - 1]),
    ("f32", V.FLOAT32, [-0.0, 1e-45, 3.4028234663852886e38, float("inf"), float("-inf"), float("nan"), 1e-05]),
    ("bool", V.BOOL, [False, True]), ("str", V.STRING, ["", "plain", "naïve 漢字 🙂", b"\xff\xfe\x00raw"]),
    ("u64", V.UINT64, [0, 2**64 - 1]), ("i64", V.INT64, [-2**63, 2**63 - 1]),
    ("f64", V.FLOAT64, [-0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("nan"), 0.1]),
]


def write(name, fill, **options):
    path = ROOT / "valid" / f"{name}.gguf"
    writer = GGUFWriter(path, "llama", **options)
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    if any(writer.tensors):
        writer.write_tensors_to_file()
    writer.close()


def scalars(writer):
    for name, kind, values in SCALARS:
        for index, value in enumerate(values):
            writer.add_key_value(f"test.{name}.{index}", value, kind)


def arrays(writer):
    for name, kind, values in SCALARS:
        writer.add_key_value(f"test.{name}s", values, V.ARRAY, sub_type=kind)


def keys(writer):
    writer.add_string("schlüssel.漢字", "Unicode key")
    writer.add_uint32("UPPER-case.0", 1)
    writer.add_bool("k" * 300, True)


def tensor(writer, name, shape, dtype):
    count = int(np.prod(shape, dtype=np.int64)) if len(shape) else 1
    writer.add_tensor(name, (np.arange(count) % 100).astype(dtype).reshape(shape))


def block(writer, name, shape, kind):
    """A tensor of any GGML type with arbitrary bytes."""
    size, width = GGML_QUANT_SIZES[kind]
    bytes_shape = (*shape[:-1], shape[-1] // size * width)
    data = (np.arange(int(np.prod(bytes_shape)), dtype=np.uint32) * 37 % 251).astype(np.uint8).reshape(bytes_shape)
    writer.add_tensor(name, data, raw_dtype=kind)


def dtypes(writer):
    for kind, (size, _) in GGML_QUANT_SIZES.items():
        if kind != T.Q8_1:  # gguf-py 0.19 gives it 40 bytes, ggml 36
            block(writer, f"t.{kind.name.lower()}", (3, size), kind)


def shapes(writer):
    for shape in [(), (5,), (2, 3), (2, 3, 4), (2, 3, 4, 5), (1, 1, 1, 1), (7, 1)]:
        tensor(writer, "shape." + "x".join(map(str, shape)), shape, np.float32)


def zero_sizes(writer):
    tensor(writer, "before", (3,), np.float16)
    for shape in [(0,), (0, 4), (4, 0), (2, 0, 3)]:
        tensor(writer, "zero." + "x".join(map(str, shape)), shape, np.float32)
    tensor(writer, "after", (3,), np.int8)


def alignment(size):
    def fill(writer):
        writer.add_custom_alignment(size)
        writer.add_name("aligned")
        for index in range(3):
            tensor(writer, f"t{index}", (index + 5,), np.int8)
    return fill


def model(writer):
    writer.add_block_count(1)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<s>", "a", "Ġb", "é"])
    writer.add_token_types([3, 1, 1, 1])
    writer.add_token_scores([0.0, -1.5, -2.5, -1000.0])
    for index, dtype in enumerate([np.float32, np.float16, np.int8, np.int16, np.int32, np.int64, np.float64]):
        tensor(writer, f"blk.0.t{index}.weight", (2, 16), dtype)


def valid_files():
    write("scalars", scalars)
    write("arrays", arrays)
    write("keys", keys)
    write("dtypes", dtypes)
    write("shapes", shapes)
    write("zero-sizes", zero_sizes)
    for size in [8, 64, 4096]:
        write(f"alignment-{size}", alignment(size))
    write("model", model)
    write("name-63", lambda writer: tensor(writer, "n" * 63, (8,), np.float32))
    write("big-endian", lambda writer: (scalars(writer), arrays(writer), model(writer)), endianess=GGUFEndian.BIG)
    made = (ROOT / "valid" / "model.gguf").read_bytes()
    for name, data in [
        ("nothing", gguf()),
        ("empty-arrays", gguf([array(f"empty.{kind.name.lower()}", kind, 0, b"") for kind in V if kind != V.ARRAY])),
        ("version-2", made[:4] + struct.pack("<I", 2) + made[8:]),
        ("alignment-1", gguf([u32("general.alignment", 1)], [info("x", [3], I8), info("y", [8], offset=3)], b"abc" + X, alignment=1)),
        ("trailing-bytes", gguf([NAME], [info("x", [8])], X + b"trailing")),
        ("no-final-padding", gguf([NAME], [info("x", [3], I8)], b"abc")),
        ("padding-without-tensors", gguf([NAME]) + bytes(-len(gguf([NAME])) % 32)),
        ("q8_1", gguf([NAME], [info("x", [32], 9)], bytes(range(36)) + bytes(28))),
        ("q2_0", gguf([NAME], [info("x", [64], 42)], bytes(range(18)) + bytes(14))),
    ]:
        (ROOT / "valid" / f"{name}.gguf").write_bytes(data)


# ---- Split models: sets/<name>/m-0000n-of-0000m.gguf ----

def split(directory, **options):
    path = ROOT / "sets" / directory / "m.gguf"
    path.parent.mkdir(parents=True)
    writer = GGUFWriter(path, "llama", **options)
    model(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def part(number, count, tensors, name):
    keys = [
        pair("split.no", V.UINT16, struct.pack("<H", number)), pair("split.count", V.UINT16, struct.pack("<H", count)),
        pair("split.tensors.count", V.INT32, struct.pack("<i", tensors)),
    ]
    return gguf(([NAME] if number == 0 else []) + keys, [info(name, [8])], X)


def bad_sets():
    """(set, code, {file: bytes}); the first file is the one to open."""
    first, second = "m-00001-of-00002.gguf", "m-00002-of-00002.gguf"
    good = {first: part(0, 2, 2, "x"), second: part(1, 2, 2, "y")}
    keyless = gguf([pair("split.count", V.UINT16, struct.pack("<H", 2)), NAME], [info("x", [8])], X)
    mistyped = gguf([pair("split.count", V.STRING, string("2"))], [info("x", [8])], X)
    out_of_range = part(2, 2, 2, "x")
    yield "missing-file", "splitMissing", {first: good[first]}
    yield "missing-first", "splitMissing", {second: good[second]}
    yield "wrong-number", "splitNumber", {first: good[first], second: part(0, 2, 2, "y")}
    yield "wrong-count", "splitCount", {first: good[first], second: part(1, 3, 2, "y")}
    yield "wrong-total", "splitTensorCount", {first: part(0, 2, 3, "x"), second: part(1, 2, 3, "y")}
    yield "wrong-name", "splitName", {"renamed.gguf": good[first], second: good[second]}
    yield "wrong-name-number", "splitName", {second: good[first], first: good[first]}
    yield "no-keys-in-second", "splitKey", {first: good[first], second: gguf([NAME], [info("y", [8])], X)}
    yield "keys-missing", "splitKey", {first: keyless, second: good[second]}
    yield "key-type", "splitKey", {first: mistyped, second: good[second]}
    yield "number-out-of-range", "splitKey", {first: out_of_range, second: good[second]}
    yield "tensor-twice", "duplicateTensor", {first: good[first], second: part(1, 2, 2, "x")}


# ---- What the reference readers say. ----

PROBES = {
    "gguf-py": "import sys; from gguf import GGUFReader; GGUFReader(sys.argv[1])",
    # gguf_init_from_file(path, {no_alloc: false, ctx: &context}) as ggml's own tests call it
    "ggml": """
import ctypes, llama_cpp, pathlib, sys
library = ctypes.CDLL(str(pathlib.Path(llama_cpp.__file__).parent / "lib" / "libggml-base.so"))
class Parameters(ctypes.Structure):
    _fields_ = [("no_alloc", ctypes.c_bool), ("ctx", ctypes.POINTER(ctypes.c_void_p))]
library.gguf_init_from_file.argtypes = [ctypes.c_char_p, Parameters]
library.gguf_init_from_file.restype = ctypes.c_void_p
context = ctypes.c_void_p()
if not library.gguf_init_from_file(sys.argv[1].encode(), Parameters(False, ctypes.pointer(context))): sys.exit(1)
""",
}
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30));"


def verdict(reader, path):
    try:
        code = subprocess.run(
            [sys.executable, "-c", LIMITED + PROBES[reader], str(path)], capture_output=True, timeout=10).returncode
    except subprocess.TimeoutExpired:
        return "hangs"
    return {0: "accepts", 1: "refuses"}.get(code, "crashes")


FORMATS = {kind: fmt for _, kind, fmt in [
    (0, V.UINT8, "B"), (0, V.INT8, "b"), (0, V.UINT16, "H"), (0, V.INT16, "h"), (0, V.UINT32, "I"), (0, V.INT32, "i"),
    (0, V.UINT64, "Q"), (0, V.INT64, "q"), (0, V.BOOL, "B"), (0, V.FLOAT32, "I"), (0, V.FLOAT64, "Q")]}
NAMES = {kind: name for name, kind, _ in SCALARS}


def spelled(kind, part):
    """A value of gguf-py's reader, spelled without loss."""
    if kind == V.STRING:
        return bytes(part).hex()
    # The reader's views know the byte order of the file; numbers are taken from their own bytes.
    data = part.astype(part.dtype.newbyteorder("<")).tobytes()
    (number,) = struct.unpack("<" + FORMATS[kind], data)
    return format(number, "x") if kind in (V.FLOAT32, V.FLOAT64) else str(number)


def described(path):
    reader = GGUFReader(path)
    metadata = []
    for key, field in reader.fields.items():
        if key.startswith("GGUF."):
            continue
        kind = field.types[0]
        if kind == V.ARRAY:
            element = field.types[-1] if len(field.types) > 1 else V(int(field.parts[3][0]))
            values = [spelled(element, field.parts[index]) for index in field.data]
            metadata.append([key, "arr", NAMES[element], values])
        else:
            metadata.append([key, NAMES[kind], spelled(kind, field.parts[-1])])
    tensors = [
        {"name": t.name, "format": t.tensor_type.name, "shape": [int(n) for n in reversed(t.shape)], "start": int(t.data_offset),
         "bytes": int(t.n_bytes)} for t in reader.tensors]
    return {
        "version": int(reader.fields["GGUF.version"].parts[0][0]), "bigEndian": reader.endianess == GGUFEndian.BIG,
        "alignment": int(reader.alignment), "metadata": metadata, "tensors": tensors}


# Files that gguf-py cannot read or reads wrongly: what is in them, by hand.
BY_HAND = {
    "q8_1": {"format": "Q8_1", "shape": [32], "bytes": 36},
    "q2_0": {"format": "Q2_0", "shape": [64], "bytes": 18},
}


def valid_entry(path):
    if path.stem in BY_HAND:
        start = -(-len(gguf([NAME], [info("x", [32])], pad=False)) // 32) * 32
        entry = {
            "version": 3, "bigEndian": False, "alignment": 32, "metadata": [["general.name", "str", b"a model".hex()]],
            "tensors": [{"name": "x", **BY_HAND[path.stem], "start": start}]}
    else:
        entry = described(path)
    return {"file": path.name, **entry, "verdicts": {reader: verdict(reader, path) for reader in PROBES}}


def main():
    for directory in ["valid", "invalid", "sets"]:
        shutil.rmtree(ROOT / directory, ignore_errors=True)
    for directory in ["valid", "invalid"]:
        (ROOT / directory).mkdir(parents=True)
    valid_files()
    split("three", split_max_tensors=3)
    split("small-first", split_max_tensors=4, small_first_shard=True)
    manifest = {"valid": [valid_entry(path) for path in sorted((ROOT / "valid").iterdir())], "invalid": [], "badSets": []}
    for name, code, data in invalid_files():
        path = ROOT / "invalid" / f"{name}.gguf"
        assert not path.exists(), name
        path.write_bytes(data)
        verdicts = {reader: verdict(reader, path) for reader in PROBES}
        manifest["invalid"].append({"file": path.name, "code": code, "verdicts": verdicts})
    for name, code, files in bad_sets():
        (ROOT / "sets" / name).mkdir()
        for file, data in files.items():
            (ROOT / "sets" / name / file).write_bytes(data)
        manifest["badSets"].append({"open": f"{name}/{next(iter(files))}", "code": code})
    lines = []
    for section, entries in manifest.items():
        rows = ",\n".join("  " + json.dumps(entry, ensure_ascii=False) for entry in entries)
        lines.append(f'"{section}": [\n{rows}\n]')
    (ROOT / "manifest.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
