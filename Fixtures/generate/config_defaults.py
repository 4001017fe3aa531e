#!/usr/bin/env python3
"""What transformers makes of configurations that leave keys out, set them to null or spell them in the old way.

    python Fixtures/generate/config_defaults.py  (transformers 5.23.0)

Each case of architectures/config_defaults.json is a `config.json` and the values that AutoConfig reads from it.
"""
import json
import pathlib
import tempfile

from transformers import AutoConfig

OUT = pathlib.Path(__file__).parents[1] / "architectures" / "config_defaults.json"
FAMILIES = ["llama", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]
# Everything whose default is a size of one particular model.
SIZES = {
    "vocab_size": 64, "hidden_size": 256, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 32,
}  # fmt: skip
SCALING = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
WINDOW = {"use_sliding_window": True, "max_window_layers": 2}
VARIANTS: dict[str, tuple[list[str], dict]] = {
    "sizes only": (FAMILIES, {}),
    "key-value heads": (FAMILIES, {"num_key_value_heads": 8}),
    "key-value heads null": (["llama", "qwen2", "qwen3", "phi"], {"num_key_value_heads": None}),
    "head size null": (["llama", "nemotron"], {"head_dim": None}),
    "head size": (["llama", "qwen2", "qwen3", "gemma2", "nemotron"], {"head_dim": 24}),
    "theta of version 4": (FAMILIES, {"rope_theta": 1234.5}),
    "theta of version 5": (FAMILIES, {"rope_parameters": {"rope_type": "default", "rope_theta": 1234.5}}),
    "linear scaling of version 4": (["llama", "gemma2"], {"rope_scaling": {"type": "linear", "factor": 2.5}}),
    "llama3 scaling without context": (["llama"], {"rope_scaling": SCALING, "max_position_embeddings": 8192}),
    "scaling of both versions": (FAMILIES[:4], {"rope_scaling": {"type": "linear", "factor": 4.0}, "rope_parameters": {"rope_type": "default", "rope_theta": 50.0}}),
    "no scaling of both versions": (["llama"], {"rope_scaling": {"type": "default"}, "rope_parameters": {"rope_type": "default", "rope_theta": 50.0}}),
    "empty scaling": (["llama"], {"rope_scaling": {}, "rope_parameters": {"rope_type": "linear", "rope_theta": 50.0, "factor": 4.0}}),
    "empty parameters": (["llama"], {"rope_scaling": {"type": "linear", "factor": 4.0}, "rope_parameters": {}}),
    "partial rotation of version 4": (["nemotron", "phi"], {"partial_rotary_factor": 0.25}),
    "partial rotation of version 5": (["nemotron", "phi"], {"rope_parameters": {"rope_theta": 9.0, "partial_rotary_factor": 0.25}}),
    "tied": (FAMILIES, {"tie_word_embeddings": True}),
    "untied": (FAMILIES, {"tie_word_embeddings": False}),
    "window without a switch": (["qwen2", "qwen3"], {"sliding_window": 16}),
    "window switched off": (["qwen2", "qwen3"], {"sliding_window": 16, "use_sliding_window": False}),
    "window switched on": (["qwen2", "qwen3"], {"sliding_window": 16, **WINDOW}),
    "window of the default size": (["qwen2", "qwen3"], WINDOW),
    "window from a late layer": (["qwen2", "qwen3"], {"sliding_window": 16, "use_sliding_window": True}),
    "window": (["gemma2"], {"sliding_window": 16}),
    "activation by the key of others": (["gemma2"], {"hidden_act": "silu"}),
    "soft-caps null": (["gemma2"], {"attn_logit_softcapping": None, "final_logit_softcapping": None}),
    "query scalar": (["gemma2"], {"query_pre_attn_scalar": 100}),
    "biases": (["llama", "qwen3", "gemma2", "nemotron"], {"attention_bias": True, "mlp_bias": True}),
}  # fmt: skip


def read(config: dict) -> dict:
    with tempfile.TemporaryDirectory() as directory:
        (pathlib.Path(directory) / "config.json").write_text(json.dumps(config))
        model = AutoConfig.from_pretrained(directory)
    rope = model.rope_parameters
    heads = model.num_attention_heads
    epsilon = next(getattr(model, key) for key in ("rms_norm_eps", "norm_eps", "layer_norm_eps") if hasattr(model, key))
    kinds = getattr(model, "layer_types", None) or ["full_attention"] * model.num_hidden_layers
    return {
        "keyValueHeads": getattr(model, "num_key_value_heads", None) or heads,
        "headDimension": getattr(model, "head_dim", None) or model.hidden_size // heads,
        "theta": rope["rope_theta"],
        "partialFactor": rope.get("partial_rotary_factor", 1.0),
        "scaling": {key: rope[key] for key in sorted(rope) if key.endswith(("factor", "embeddings", "type")) and "partial" not in key},
        "epsilon": epsilon,
        "context": model.max_position_embeddings,
        "tied": model.tie_word_embeddings,
        "activation": getattr(model, "hidden_activation", None) or model.hidden_act,
        "window": getattr(model, "sliding_window", None),
        "layerTypes": kinds,
        "queryScalar": getattr(model, "query_pre_attn_scalar", None),
        "attentionSoftcap": getattr(model, "attn_logit_softcapping", None),
        "logitSoftcap": getattr(model, "final_logit_softcapping", None),
        "attentionBias": getattr(model, "attention_bias", None),
    }  # fmt: skip


rows = []
for variant, (families, keys) in VARIANTS.items():
    for family in families:
        config = {"model_type": family, **SIZES, **keys}
        rows.append(json.dumps({"name": f"{family}, {variant}", "config": config, "expected": read(config)}))
OUT.write_text("[\n" + ",\n".join(rows) + "\n]\n")
