"""Makes Fixtures/safetensors: good and hostile files, and what the reference reader says of each.

    python safetensors_files.py            # writes ../safetensors
Needs safetensors==0.8.0 (and huggingface_hub 1.x for the sharing out of tensors over files).

`manifest.json` holds, for each file,
  valid    tensors as [name, dtype, shape, data in hexadecimal] and metadata as the reference reads them, the
           warnings of this package
  invalid  the error code of this package, and the verdict of the reference: its message, or null where it accepts the file
           and this package does not
`written/` was written by the reference and is compared byte for byte with what this package writes; `sharded/` is a checkpoint
in three files with its index; `plans.json` holds tensors and how huggingface_hub shares them out over files.
"""

import ctypes
import json
import shutil
import struct
from pathlib import Path

from huggingface_hub.serialization import split_state_dict_into_shards_factory
from safetensors import SafetensorError, TensorSpec, __version__, deserialize, safe_open, serialize

ROOT = Path(__file__).resolve().parent.parent / "safetensors"
MANIFEST = {"valid": {}, "invalid": {}}

# The reference's dtype string -> the name its writer takes (none for those it can only read), bits.
DTYPES = {
    "BOOL": ("bool", 8), "F4": ("float4_e2m1fn_x2", 4), "F6_E2M3": (None, 6), "F6_E3M2": (None, 6),
    "U8": ("uint8", 8), "I8": ("int8", 8), "F8_E5M2": ("float8_e5m2", 8), "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8), "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8), "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "I16": ("int16", 16), "U16": ("uint16", 16), "F16": ("float16", 16), "BF16": ("bfloat16", 16),
    "I32": ("int32", 32), "U32": ("uint32", 32), "F32": ("float32", 32), "C64": ("complex64", 64),
    "F64": ("float64", 64), "I64": ("int64", 64), "U64": ("uint64", 64),
}  # fmt: skip


def data(count, seed=0):
    return bytes((37 * i + 11 + seed) % 251 for i in range(count))


# ---- A file by hand: every defect is an argument. ----


def entry(name='"a"', dtype='"F32"', shape="[2]", offsets="[0,8]", extra=""):
    return f'{name}:{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}{extra}}}'


def file(header, payload=b"", length=None, pad=True):
    header = header if isinstance(header, bytes) else header.encode()
    if pad:
        header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header) if length is None else length) + header + payload


def obj(*members):
    return "{" + ",".join(members) + "}"


# ---- Verdicts. ----


def read(path):
    """The tensors as the reference reads them in data order, or its error."""
    content = path.read_bytes()
    try:
        tensors = deserialize(content)
    except SafetensorError as error:
        tensors = error
    try:
        with safe_open(path, "np") as f:
            metadata = f.metadata()
    except SafetensorError as error:
        assert isinstance(tensors, SafetensorError), (path, error)
        return tensors, None
    assert not isinstance(tensors, SafetensorError), (path, tensors)
    return tensors, metadata


def valid(name, content, warnings=()):
    path = ROOT / "valid" / f"{name}.safetensors"
    path.write_bytes(content)
    tensors, metadata = read(path)
    assert not isinstance(tensors, SafetensorError), (name, tensors)
    MANIFEST["valid"][name] = {
        "tensors": sorted([n, t["dtype"], t["shape"], bytes(t["data"]).hex()] for n, t in tensors),
        "metadata": metadata or {},
        "warnings": list(warnings),
    }


def invalid(name, code, content, says):
    """`says` is a part of the reference's message; None where the reference accepts the file."""
    path = ROOT / "invalid" / f"{name}.safetensors"
    path.write_bytes(content)
    tensors, _ = read(path)
    if says is None:
        assert not isinstance(tensors, SafetensorError), (name, tensors)
    else:
        assert isinstance(tensors, SafetensorError) and says in str(tensors), (name, tensors)
    message = str(tensors).removeprefix("Error while deserializing: ") if says else None
    MANIFEST["invalid"][name] = {"code": code, "reference": message}


# ---- Files that are accepted. ----


def write_valid():
    for dtype, (_, bits) in DTYPES.items():
        payload = data(4 * bits // 8)
        valid(f"dtype_{dtype}", file(obj(entry(dtype=f'"{dtype}"', shape="[1,4]", offsets=f"[0,{len(payload)}]")), payload))
    d8 = data(8)
    valid("no_tensors", file("{}"))
    valid("metadata_only", file('{"__metadata__":{"format":"pt","a":""}}'))
    valid("metadata_empty", file(obj('"__metadata__":{}', entry()), d8))
    valid("metadata_null", file(obj('"__metadata__":null', entry()), d8), ["nullMetadata"])
    valid("metadata_last", file(obj(entry(), '"__metadata__":{"format":"pt"}'), d8))
    valid("zero_dimension", file(obj(entry(shape="[0]", offsets="[0,0]"))))
    valid("zero_size_in_the_middle", file(obj(
        entry(), entry('"b"', shape="[3,0]", offsets="[8,8]"), entry('"c"', offsets="[8,16]")), data(16)))
    valid("zero_sizes_at_one_offset", file(obj(
        entry('"b"', shape="[0]", offsets="[0,0]"), entry('"c"', shape="[0,2]", offsets="[0,0]"), entry()), d8))
    valid("zero_times_large", file(obj(entry(shape=f"[0,{2**62}]", offsets="[0,0]"))))
    valid("scalar", file(obj(entry(shape="[]", offsets="[0,4]")), data(4)))
    valid("header_order_is_not_data_order", file(obj(
        entry('"z"', offsets="[8,16]"), entry('"y"', offsets="[0,8]"), entry('"x"', offsets="[16,24]")), data(24)))
    valid("fields_in_another_order", file('{"a":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"}}', d8))
    valid("white_space_inside", file('{ "a"\t:\r\n{ "dtype" : "F32" , "shape" : [ 2 ] , "data_offsets" : [ 0 , 8 ] } }', d8))
    valid("header_not_padded", file(obj(entry('"abcdefgh"')), d8, pad=False), ["unalignedData", "unalignedTensor"])
    valid("f32_at_odd_offset", file(obj(
        entry('"a"', '"U8"', "[1]", "[0,1]"), entry('"b"', "\"F32\"", "[2]", "[1,9]")), data(9)), ["unalignedTensor"])
    valid("leading_white_space", file(" \n\t" + obj(entry()), d8), ["leadingWhitespace"])
    valid("padded_with_newlines", file(obj(entry()) + "\n" * 8, d8), ["unusualPadding"])
    valid("unknown_field", file(obj(entry(extra=',"strides":[1,{"x":[true,null,-1.5e3]}],"x":"y"')), d8), ["unknownField"])
    valid("entry_as_array", file('{"a":["F32",[2],[0,8]]}', d8), ["arrayEntry"])
    valid("empty_name", file(obj(entry('""')), d8), ["emptyName"])
    valid("nul_in_name", file(obj(entry('"a\\u0000b"')), d8), ["controlCharacterInName"])
    valid("escapes_in_name", file(obj(entry('"\\u0061\\"\\\\\\/\\ud83d\\ude00\\u00e9"')), d8))
    valid("escapes_in_fields", file('{"a":{"dtyp\\u0065":"F\\u00332","shape":[2],"data_offsets":[0,8]}}', d8))
    valid("unicode_name", file(obj(entry('"гёß漢"')), d8))
    valid("bool_of_two", file(obj(entry(dtype='"BOOL"', shape="[2]", offsets="[0,2]")), b"\2\1"))
    valid("sixty_four_dimensions", file(obj(entry(shape="[" + "1," * 63 + "2]")), d8))


# ---- Files that are refused. ----


def write_invalid_headers():
    d8 = data(8)
    js = "invalid JSON in header"
    invalid("empty_file", "headerTooSmall", b"", "header too small")
    invalid("seven_bytes", "headerTooSmall", b"\2\0\0\0\0\0\0", "header too small")
    invalid("header_too_large", "headerTooLarge", file("{}", length=100_000_001), "header too large")
    invalid("header_length_of_all_ones", "headerTooLarge", file("{}", length=2**64 - 1), "header too large")
    invalid("header_longer_than_file", "invalidHeaderLength", file("{}", length=9), "invalid header length")
    invalid("header_of_100_million_declared", "invalidHeaderLength", file("{}", length=100_000_000), "invalid header length")
    invalid("header_not_utf8", "invalidHeaderUTF8", file(b'{"\xff":1}', d8), "invalid UTF-8 in header")
    invalid("overlong_utf8", "invalidHeaderUTF8", file(b'{"\xc0\x80":1}', d8), "invalid UTF-8 in header")
    invalid("surrogate_utf8", "invalidHeaderUTF8", file(b'{"\xed\xa0\x80":1}', d8), "invalid UTF-8 in header")
    invalid("header_of_no_bytes", "invalidHeaderJSON", file(""), js)
    invalid("byte_order_mark", "invalidHeaderJSON", file("\ufeff" + obj(entry()), d8), js)
    invalid("padded_with_nul", "invalidHeaderJSON", file(obj(entry()) + "\0" * 8, d8), js)
    invalid("two_objects", "invalidHeaderJSON", file(obj(entry()) + "{}", d8), js)
    invalid("truncated_json", "invalidHeaderJSON", file(obj(entry())[:-1], d8), js)
    invalid("trailing_comma", "invalidHeaderJSON", file(obj(entry())[:-1] + ",}", d8), js)
    invalid("comma_in_array", "invalidHeaderJSON", file(obj(entry(shape="[2,]")), d8), js)
    invalid("leading_zero", "invalidHeaderJSON", file(obj(entry(shape="[02]")), d8), js)
    invalid("single_quotes", "invalidHeaderJSON", file(obj(entry("'a'")), d8), js)
    invalid("form_feed", "invalidHeaderJSON", file("\f" + obj(entry()), d8), js)
    invalid("lone_surrogate", "invalidHeaderJSON", file(obj(entry('"\\ud800"')), d8), js)
    invalid("raw_control_character", "invalidHeaderJSON", file(obj(entry('"a\nb"')), d8), js)
    invalid("unknown_escape", "invalidHeaderJSON", file(obj(entry('"\\x61"')), d8), js)
    invalid("deep_nesting", "invalidHeaderJSON", file(obj(entry(extra=',"x":' + "[" * 200 + "]" * 200)), d8), "recursion limit")
    invalid("header_is_null", "headerNotAnObject", file("null"), js)
    invalid("header_is_an_array", "headerNotAnObject", file("[]"), js)


def write_invalid_entries():
    d8 = data(8)
    js = "invalid JSON in header"
    invalid("duplicate_tensor", "duplicateTensor", file(obj(entry(offsets="[0,4]"), entry()), d8), None)
    invalid("duplicate_tensor_by_escape", "duplicateTensor", file(obj(entry(), entry('"\\u0061"')), d8), None)
    invalid("names_equal_in_unicode", "duplicateTensor", file(obj(
        entry('"\u00e9"'), entry('"e\u0301"', offsets="[8,16]")), data(16)), None)
    invalid("duplicate_metadata", "duplicateKey", file(obj('"__metadata__":{}', '"__metadata__":{}', entry()), d8), js)
    invalid("duplicate_metadata_key", "duplicateKey", file(obj('"__metadata__":{"a":"1","a":"2"}', entry()), d8), None)
    invalid("duplicate_field", "duplicateKey", file(obj(entry(extra=',"dtype":"F32"')), d8), js)
    invalid("metadata_number", "invalidMetadata", file(obj('"__metadata__":{"a":1}', entry()), d8), js)
    invalid("metadata_nested", "invalidMetadata", file(obj('"__metadata__":{"a":{"b":"c"}}', entry()), d8), js)
    invalid("metadata_array", "invalidMetadata", file(obj('"__metadata__":[]', entry()), d8), js)
    invalid("missing_dtype", "missingField", file('{"a":{"shape":[2],"data_offsets":[0,8]}}', d8), js)
    invalid("missing_shape", "missingField", file('{"a":{"dtype":"F32","data_offsets":[0,8]}}', d8), js)
    invalid("missing_offsets", "missingField", file('{"a":{"dtype":"F32","shape":[2]}}', d8), js)
    invalid("entry_as_short_array", "missingField", file('{"a":["F32",[2]]}', d8), js)
    invalid("entry_as_long_array", "invalidField", file('{"a":["F32",[2],[0,8],1]}', d8), js)
    invalid("entry_is_null", "invalidField", file('{"a":null}'), js)
    invalid("entry_is_a_string", "invalidField", file('{"a":"F32"}'), js)
    invalid("dtype_is_a_number", "invalidField", file(obj(entry(dtype="17")), d8), js)
    invalid("dtype_as_object", "invalidField", file(obj(entry(dtype='{"F32":null}')), d8), None)
    invalid("shape_is_null", "invalidField", file(obj(entry(shape="null")), d8), js)
    invalid("shape_negative", "invalidField", file(obj(entry(shape="[-1]")), d8), js)
    invalid("shape_minus_zero", "invalidField", file(obj(entry(shape="[-0]", offsets="[0,0]"))), js)
    invalid("shape_fraction", "invalidField", file(obj(entry(shape="[2.0]")), d8), js)
    invalid("shape_exponent", "invalidField", file(obj(entry(shape="[2e0]")), d8), js)
    invalid("shape_above_64_bits", "invalidField", file(obj(entry(shape=f"[{2**64}]")), d8), js)
    invalid("shape_of_strings", "invalidField", file(obj(entry(shape='["2"]')), d8), js)
    invalid("sixty_five_dimensions", "invalidField", file(obj(entry(shape="[" + "1," * 64 + "2]")), d8), None)
    invalid("one_offset", "invalidField", file(obj(entry(offsets="[8]")), d8), js)
    invalid("three_offsets", "invalidField", file(obj(entry(offsets="[0,8,8]")), d8), js)
    invalid("offsets_as_object", "invalidField", file(obj(entry(offsets='{"0":0,"1":8}')), d8), js)
    for dtype in ["C128", "I4", "F8_E4M3FN", "f32", "Q8_0", ""]:
        invalid(f"dtype_{dtype or 'empty'}", "unknownElementFormat", file(obj(entry(dtype=f'"{dtype}"')), d8), js)


def write_invalid_layouts():
    d8, d16 = data(8), data(16)
    offset, incomplete = "invalid offset for tensor", "incomplete metadata, file not fully covered"
    overflow, info = "overflow computing buffer size", "invalid shape, data type, or offset"
    invalid("first_offset_not_zero", "invalidOffset", file(obj(entry(offsets="[8,16]")), d16), offset)
    invalid("hole", "invalidOffset", file(obj(entry(), entry('"b"', offsets="[12,20]")), data(20)), offset)
    invalid("overlap", "invalidOffset", file(obj(entry(), entry('"b"', offsets="[4,12]")), data(12)), offset)
    invalid("aliased_tensors", "invalidOffset", file(obj(entry(), entry('"b"')), d8), offset)
    invalid("empty_tensor_inside_another", "invalidOffset",
            file(obj(entry(), entry('"b"', shape="[0]", offsets="[4,4]")), d8), offset)  # fmt: skip
    invalid("end_before_start", "invalidOffset", file(obj(entry(offsets="[8,0]")), d8), offset)
    invalid("product_overflows", "validationOverflow", file(obj(entry(shape=f"[{2**32},{2**32}]")), d8), overflow)
    invalid("product_overflows_before_zero", "validationOverflow",
            file(obj(entry(shape=f"[{2**64 - 1},2,0]", offsets="[0,0]"))), overflow)  # fmt: skip
    invalid("bits_overflow", "validationOverflow",
            file(obj(entry(dtype='"U8"', shape=f"[{2**61}]", offsets=f"[0,{2**61}]")), d8), overflow)  # fmt: skip
    invalid("dimension_of_2_to_the_64_less_1", "validationOverflow",
            file(obj(entry(shape=f"[0,{2**64 - 1},2]", offsets="[0,0]"))), None)  # fmt: skip
    invalid("odd_f4", "misalignedSlice", file(obj(entry(dtype='"F4"', shape="[3]", offsets="[0,2]")), data(2)), "subbytes")
    invalid("f6_of_three", "misalignedSlice",
            file(obj(entry(dtype='"F6_E2M3"', shape="[3]", offsets="[0,3]")), data(3)), "subbytes")  # fmt: skip
    invalid("range_too_small", "tensorInvalidInfo", file(obj(entry(shape="[3]")), d8), info)
    invalid("range_too_large", "tensorInvalidInfo", file(obj(entry(shape="[1]")), d8), info)
    invalid("range_of_all_ones", "tensorInvalidInfo", file(obj(entry(offsets=f"[0,{2**64 - 1}]")), d8), info)
    invalid("truncated", "metadataIncompleteBuffer", file(obj(entry()), d8[:-1]), incomplete)
    invalid("no_data", "metadataIncompleteBuffer", file(obj(entry())), incomplete)
    invalid("trailing_byte", "metadataIncompleteBuffer", file(obj(entry()), d8 + b"\0"), incomplete)
    invalid("data_without_tensors", "metadataIncompleteBuffer", file("{}", b"\0"), incomplete)
    invalid("two_exabytes_declared", "metadataIncompleteBuffer",
            file(obj(entry(dtype='"U8"', shape=f"[{2**61 - 1}]", offsets=f"[0,{2**61 - 1}]")), d8), incomplete)  # fmt: skip


# ---- Files written by the reference. ----


def written(path, tensors, metadata=None):
    """`tensors`: name -> (dtype, shape as the file has it, bytes)."""
    keep, specs = [], {}
    for name, (dtype, shape, content) in tensors.items():
        buffer = ctypes.create_string_buffer(content, max(1, len(content)))
        keep.append(buffer)
        # The writer takes F4 as pairs.
        given = shape[:-1] + [shape[-1] // 2] if dtype == "F4" else shape
        specs[name] = TensorSpec(
            dtype=DTYPES[dtype][0], shape=given, data_ptr=ctypes.addressof(buffer), data_len=len(content)
        )
    path.write_bytes(serialize(specs, metadata))


def tensor(dtype, shape, seed):
    count = 1
    for size in shape:
        count *= size
    return dtype, shape, data(count * DTYPES[dtype][1] // 8, seed)


def write_written():
    folder = ROOT / "written"
    every = {f"t.{dtype}": tensor(dtype, [2, 4], seed) for seed, dtype in enumerate(DTYPES) if DTYPES[dtype][0]}
    written(folder / "every_dtype.safetensors", every, {"format": "pt"})
    names = ["b", "a", "B", "a.10", "a.2", "é", "e\u0301x", "漢", "😀", 'quote"back\\slash/', "tab\tnul\0del\x7f", ""]
    written(folder / "names.safetensors", {name: tensor("F16", [1], seed) for seed, name in enumerate(names)})
    mixed = {
        "small": tensor("U8", [3], 1), "scalar": tensor("F32", [], 2), "empty": tensor("F64", [0, 5], 3),
        "weight": tensor("BF16", [4, 3], 4), "weight_scale": tensor("F32", [4, 1], 5), "bias": tensor("BF16", [5], 6),
    }  # fmt: skip
    written(folder / "mixed.safetensors", mixed, {"line\nbreak": 'täb\t"'})
    written(folder / "no_tensors.safetensors", {})


# ---- Several files. ----


def write_sharded():
    folder = ROOT / "sharded"
    tensors = {"model.embed_tokens.weight": tensor("BF16", [6, 4], 1)}
    for layer in range(2):
        tensors[f"model.layers.{layer}.mlp.weight"] = tensor("F32", [4, 3], 2 + layer)
        tensors[f"model.layers.{layer}.norm.weight"] = tensor("F32", [4], 8 + layer)
    tensors["lm_head.weight"] = tensor("BF16", [6, 4], 9)
    split = share_out(tensors, 100)
    for name, keys in split.filename_to_tensors.items():
        written(folder / name, {key: tensors[key] for key in keys}, {"format": "pt"})
    assert len(split.filename_to_tensors) == 3
    elements = sum(len(t[2]) * 8 // DTYPES[t[0]][1] for t in tensors.values())
    write_index(folder / "model.safetensors.index.json", split, elements)
    # Names that sort and escape differently in Swift and in Python.
    odd = {name: ("U8", [60], data(60)) for name in ["😀", "\uffee", "é", "e\u0301x", "z", "a\x7f\n", "B", "b.10", "b.2"]}
    write_index(ROOT / "index_of_odd_names.json", share_out(odd, 130), 540)


def share_out(tensors, limit):
    return split_state_dict_into_shards_factory(
        tensors, get_storage_size=lambda t: len(t[2]), filename_pattern="model{suffix}.safetensors", max_shard_size=limit
    )


def write_index(path, split, parameters):
    """As transformers 5.23 does in `save_pretrained`."""
    index = {
        "metadata": {"total_parameters": parameters, **split.metadata},
        "weight_map": split.tensor_to_filename,
    }
    path.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_plans():
    plans = []
    for sizes, limit in [
        ([6, 6, 2, 6, 2, 2], 10), ([1, 2, 3], 6), ([1, 2, 3], 5), ([7], 5), ([4, 7, 4], 5), ([4, 7, 1, 9, 4], 5),
        ([7, 7], 5), ([0, 5, 0, 5, 0], 5), ([0, 0], 1), ([5, 5, 5], 5), (list(range(1, 24)), 24),
    ]:  # fmt: skip
        tensors = {f"t{i}": ("U8", [size], bytes(size)) for i, size in enumerate(sizes)}
        split = share_out(tensors, limit)
        plans.append({"sizes": sizes, "limit": limit, "files": split.filename_to_tensors})
    lines = [json.dumps(plan) for plan in plans]
    (ROOT / "plans.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


def main():
    assert __version__ == "0.8.0", __version__
    shutil.rmtree(ROOT, ignore_errors=True)
    for folder in ["valid", "invalid", "written", "sharded"]:
        (ROOT / folder).mkdir(parents=True)
    write_valid()
    write_invalid_headers()
    write_invalid_entries()
    write_invalid_layouts()
    write_written()
    write_sharded()
    write_plans()
    groups = []
    for group, cases in MANIFEST.items():
        lines = [f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()]
        groups.append(f'"{group}": {{\n' + ",\n".join(lines) + "\n}")
    (ROOT / "manifest.json").write_text("{\n" + ",\n".join(groups) + "\n}\n")


main()
