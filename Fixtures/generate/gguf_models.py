#!/usr/bin/env python3
"""llama-pico as gguf-py writes it: quantized to Q8_0 and split in two files, with the keys of llama.cpp's converter.

    python Fixtures/generate/gguf_models.py  (gguf 0.19.0, safetensors 0.8.0)

models/llama-pico-q8_0/values.json holds the FNV-1a checksum of every tensor after quantization, decoded by gguf-py, as
F32 under its Hugging Face name and in the order of rows that Hugging Face has.
"""
import json

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType, quants
from safetensors.numpy import load_file

from gguf_names import ARCHITECTURES, FIXTURES, checksum, get_tensor_name_map, transformed

SOURCE = FIXTURES / "models" / "llama-pico"
OUT = FIXTURES / "models" / "llama-pico-q8_0"


def add_keys(writer: GGUFWriter, config: dict) -> None:
    writer.add_type("model")
    writer.add_name("Llama Pico")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list([f"t{index}" for index in range(config["vocab_size"])])
    writer.add_token_types([1] * config["vocab_size"])
    writer.add_token_merges(["t 1"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def generate() -> None:
    config = json.loads((SOURCE / "config.json").read_text())
    names = get_tensor_name_map(ARCHITECTURES["llama"], config["num_hidden_layers"])
    OUT.mkdir(exist_ok=True)
    writer = GGUFWriter(OUT / "model.gguf", "llama", split_max_tensors=16)
    add_keys(writer, config)
    checksums = {}
    for name, values in load_file(SOURCE / "model.safetensors").items():
        gguf_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
        stored = np.ascontiguousarray(transformed(name, values, config))
        if values.ndim == 1:
            writer.add_tensor(gguf_name, stored)
            checksums[name] = checksum(values)
            continue
        q8_0 = GGMLQuantizationType.Q8_0
        writer.add_tensor(gguf_name, quants.quantize(stored, q8_0), raw_dtype=q8_0)
        # Rows are quantized one by one, so their order makes no difference.
        checksums[name] = checksum(quants.dequantize(quants.quantize(values, q8_0), q8_0))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (OUT / "values.json").write_text(json.dumps(checksums, indent=1, sort_keys=True) + "\n")


generate()
