"""Makes the pico checkpoints of Fixtures/models and their oracles with transformers.

    python pico_models.py [NAME ...]

A pico is a model of a few ten thousand random weights. Nothing in it is neutral (no norm weight of one, no
bias of zero, no default theta or epsilon), so that whatever a reader forgets or swaps shows in the logits.
The oracle holds what every module received and returned, the logits, the loss and every gradient.
"""

import copy
import json
import sys
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    Gemma2Config,
    LlamaConfig,
    NemotronConfig,
    PhiConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen3Config,
)

MODELS = Path(__file__).resolve().parents[1] / "models"
SEED = 20260
VOCAB = 104
LENGTH = 24
IDS = {"bos_token_id": 1, "eos_token_id": 2}


def rope(theta: float, **more) -> dict:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, **more}}


CONFIGS: dict[str, PreTrainedConfig] = {
    # Rows of 32, 32 and 96 values: the one pico whose matrices fit the 32-value blocks of GGUF.
    "llama-pico": LlamaConfig(
        **IDS, **rope(7000.0), vocab_size=VOCAB, hidden_size=32, intermediate_size=96, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=3e-5,
        tie_word_embeddings=True,
    ),
    # Of the 8 frequencies one stays, two are blended and five are divided by the factor.
    "llama-rope3-pico": LlamaConfig(
        **IDS, vocab_size=VOCAB, hidden_size=40, intermediate_size=72, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, max_position_embeddings=192, rms_norm_eps=2e-5,
        tie_word_embeddings=False, attention_bias=True, mlp_bias=True,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 350.0, "factor": 6.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 32,
        },
    ),
    "qwen2-pico": Qwen2Config(
        **IDS, **rope(20000.0), vocab_size=VOCAB, hidden_size=48, intermediate_size=80, num_hidden_layers=3,
        num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=72, rms_norm_eps=5e-5,
        tie_word_embeddings=False, use_sliding_window=False,
    ),
    "qwen3-pico": Qwen3Config(
        **IDS, **rope(30000.0), vocab_size=VOCAB, hidden_size=40, intermediate_size=64, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, head_dim=12, max_position_embeddings=80, rms_norm_eps=7e-6,
        tie_word_embeddings=True,
    ),
    "gemma2-pico": Gemma2Config(
        **IDS, **rope(3000.0), pad_token_id=0, vocab_size=VOCAB, hidden_size=36, intermediate_size=56,
        num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, head_dim=10, max_position_embeddings=88,
        rms_norm_eps=4e-6, query_pre_attn_scalar=24, sliding_window=8, attn_logit_softcapping=2.0,
        final_logit_softcapping=3.0, tie_word_embeddings=True,
    ),
    "nemotron-pico": NemotronConfig(
        **IDS, **rope(4000.0, partial_rotary_factor=0.5), vocab_size=VOCAB, hidden_size=40, intermediate_size=88,
        num_hidden_layers=3, num_attention_heads=6, num_key_value_heads=2, head_dim=8, max_position_embeddings=96,
        norm_eps=6e-5, tie_word_embeddings=False,
    ),
    # As in Phi-2 the key heads are as many as the query heads, and two fifths of a head rotate.
    "phi-pico": PhiConfig(
        **IDS, **rope(5000.0, partial_rotary_factor=0.4), vocab_size=VOCAB, hidden_size=40, intermediate_size=72,
        num_hidden_layers=3, num_attention_heads=2, max_position_embeddings=104, layer_norm_eps=8e-5,
        tie_word_embeddings=False,
    ),
}  # fmt: skip


def oracle_tokens() -> torch.Tensor:
    generator = torch.Generator().manual_seed(SEED)
    return torch.randint(3, VOCAB, (2, LENGTH), generator=generator)


@torch.no_grad()
def fill(model: PreTrainedModel, name: str) -> None:
    """Random weights: spread logits, attention that prefers some positions, no neutral value anywhere."""
    generator = torch.Generator().manual_seed(SEED + zlib.crc32(name.encode()))
    hidden = model.config.hidden_size
    tied = model.config.tie_word_embeddings

    def normal(parameter: torch.Tensor, std: float) -> None:
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)

    def around(parameter: torch.Tensor, neutral: float) -> None:
        parameter.copy_(neutral + torch.rand(parameter.shape, generator=generator) - 0.5)

    for key, parameter in model.named_parameters():
        module, kind = key.split(".")[-2:]
        if "norm" in module and kind == "weight":
            around(parameter, 0.0 if model.config.model_type in ("gemma2", "nemotron") else 1.0)
        elif kind == "bias":
            normal(parameter, 0.3)
        elif module == "embed_tokens":
            normal(parameter, 1.8 * hidden**-0.5 if tied else 1.0)
        elif module == "lm_head":
            normal(parameter, 1.8 * hidden**-0.5)
        elif module in ("q_proj", "k_proj"):
            normal(parameter, 1.5 * parameter.shape[1] ** -0.5)
        else:
            normal(parameter, 1.1 * parameter.shape[1] ** -0.5)


def make(name: str) -> PreTrainedModel:
    model = AutoModelForCausalLM.from_config(copy.deepcopy(CONFIGS[name]), dtype=torch.float32, attn_implementation="eager")
    fill(model, name)
    return model.eval()


def first_tensor(*values) -> torch.Tensor:
    for value in values:
        if isinstance(value, torch.Tensor):
            return value
        if isinstance(value, (tuple, list)):
            return first_tensor(*value)
    raise TypeError("no tensor")


def loss_of(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), tokens[:, 1:].reshape(-1))


def logits_of(model: PreTrainedModel, tokens: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=tokens, use_cache=False).logits


def is_recorded(name: str, module: torch.nn.Module) -> bool:
    owns_parameters = next(module.parameters(recurse=False), None) is not None
    return owns_parameters or name.endswith(("self_attn", "mlp")) or name.split(".")[-2:-1] == ["layers"]


def make_oracle(model: PreTrainedModel, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    oracle = {"tokens": tokens}

    def record(key: str, value: torch.Tensor) -> None:
        assert key not in oracle, key
        oracle[key] = value.detach().clone().contiguous()

    hooks = []
    for name, module in model.named_modules():
        if is_recorded(name, module):
            before = lambda _, positional, named, name=name: record(
                f"{name}:input", first_tensor(*positional, *(named[k] for k in ("hidden_states",) if k in named))
            )
            after = lambda _, __, output, name=name: record(f"{name}:output", first_tensor(output))
            hooks.append(module.register_forward_pre_hook(before, with_kwargs=True))
            hooks.append(module.register_forward_hook(after))

    model.zero_grad()
    logits = model(input_ids=tokens, use_cache=False).logits
    loss = loss_of(logits, tokens)
    loss.backward()
    for hook in hooks:
        hook.remove()
    record("logits", logits)
    record("loss", loss)
    for name, parameter in model.named_parameters():
        record(f"grad:{name}", parameter.grad)
    return oracle


def config_in_v4_style(name: str, path: Path) -> dict:
    """The same configuration in the keys of transformers 4, and with what published files of that time leave out."""
    config = json.loads(path.read_text())
    parameters = config.pop("rope_parameters")
    config["rope_theta"] = parameters.pop("rope_theta")
    if "partial_rotary_factor" in parameters:
        config["partial_rotary_factor"] = parameters.pop("partial_rotary_factor")
    scaled = parameters["rope_type"] != "default"
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.46.3"
    config.pop("layer_types", None)
    match name:
        case "llama-pico":
            config.pop("head_dim")  # hidden_size / num_attention_heads
        case "qwen2-pico":
            config["sliding_window"] = 16  # not used: use_sliding_window is false
            config["max_window_layers"] = 2
        case "gemma2-pico":
            config.pop("tie_word_embeddings")  # the family's default is true
            config["cache_implementation"] = "hybrid"
            config["hidden_act"] = config["hidden_activation"]
    for key in ("pad_token_id", "use_bidirectional_attention"):
        if config.get(key, 0) is None:
            config.pop(key)
    if name not in ("gemma2-pico", "nemotron-pico"):  # these two had no such key
        config["rope_scaling"] = parameters if scaled else None
    return dict(sorted(config.items()))


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def save(directory: Path, oracle: dict[str, torch.Tensor]) -> None:
    save_file(oracle, directory / "oracle.safetensors")
    for path in directory.iterdir():
        path.chmod(0o644)


def generate(name: str) -> None:
    out = MODELS / name
    model = make(name)
    model.save_pretrained(out)
    write_json(out / "config.v4.json", config_in_v4_style(name, out / "config.json"))
    save(out, make_oracle(model, oracle_tokens()))


def generate_pruned() -> None:
    """llama-pico without its decoder layer 1, taken out by hand."""
    model = make("llama-pico")
    del model.model.layers[1]
    for index, layer in enumerate(model.model.layers):
        layer.self_attn.layer_idx = index
    model.config.num_hidden_layers = len(model.model.layers)
    tokens = oracle_tokens()
    out = MODELS / "llama-pico-pruned"
    out.mkdir(parents=True, exist_ok=True)
    logits = logits_of(model, tokens)
    save(out, {"tokens": tokens, "logits": logits, "loss": loss_of(logits, tokens)})


def generate_sharded() -> None:
    """llama-pico rounded to BF16, in shards of at most 24 kB; its oracle runs the rounded weights in F32."""
    out = MODELS / "llama-pico-bf16-sharded"
    make("llama-pico").to(torch.bfloat16).save_pretrained(out, max_shard_size="24KB")
    model = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32, attn_implementation="eager")
    tokens = oracle_tokens()
    logits = logits_of(model, tokens)
    save(out, {"tokens": tokens, "logits": logits, "loss": loss_of(logits, tokens)})


# The checks: each fixture must be read back to its own oracle, and each peculiarity must matter.


def nmse(value: torch.Tensor, reference: torch.Tensor) -> float:
    value, reference = value.double(), reference.double()
    return ((value - reference).square().sum() / (reference - reference.mean()).square().sum()).item()


def load(name: str, **changes) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(MODELS / name)
    for key, value in changes.items():
        setattr(config, key, value)
    return AutoModelForCausalLM.from_pretrained(
        MODELS / name, config=config, dtype=torch.float32, attn_implementation="eager"
    ).eval()


SWITCHED_OFF: dict[str, dict[str, dict]] = {
    "llama-pico": {"default theta": rope(10000.0)},
    "llama-rope3-pico": {"no llama3 scaling": rope(350.0)},
    "qwen2-pico": {"default theta": rope(10000.0)},
    "qwen3-pico": {"default theta": rope(10000.0)},
    "gemma2-pico": {
        "no window": {"layer_types": ["full_attention"] * 4},
        "window in every layer": {"layer_types": ["sliding_attention"] * 4},
        "window in the odd layers": {"layer_types": ["full_attention", "sliding_attention"] * 2},
        "window of 9": {"sliding_window": 9},
        "no attention soft-cap": {"attn_logit_softcapping": None},
        "no final soft-cap": {"final_logit_softcapping": None},
        "scale of head_dim": {"query_pre_attn_scalar": 10},
        "default theta": rope(10000.0),
        "exact GELU": {"hidden_activation": "gelu"},
    },
    "nemotron-pico": {"full rotation": rope(4000.0, partial_rotary_factor=1.0), "SiLU": {"hidden_act": "silu"}},
    "phi-pico": {
        "full rotation": rope(5000.0, partial_rotary_factor=1.0),
        "default rotation": rope(5000.0, partial_rotary_factor=0.5),
        "exact GELU": {"hidden_act": "gelu"},
    },
}
# The tanh form of GELU is a close fit of the exact one: a smaller change counts there.
LEAST_CHANGE = {"exact GELU": 1e-9}


def check(name: str) -> None:
    oracle = load_file(MODELS / name / "oracle.safetensors")
    tokens, reference = oracle["tokens"], oracle["logits"]
    model = load(name)
    assert nmse(logits_of(model, tokens), reference) < 1e-12
    print(
        f"{name}: {sum(p.numel() for p in model.parameters())} parameters, loss {oracle['loss'].item():.4f},"
        f" logits std {reference.std().item():.3f} max {reference.abs().max().item():.2f}"
    )

    v4 = AutoConfig.for_model(**json.loads((MODELS / name / "config.v4.json").read_text()))
    old = AutoModelForCausalLM.from_pretrained(
        MODELS / name, config=v4, dtype=torch.float32, attn_implementation="eager"
    )
    assert torch.equal(logits_of(old.eval(), tokens), logits_of(model, tokens)), "config.v4.json differs"

    parameters = dict(model.named_parameters())
    assert {k.removeprefix("grad:") for k in oracle if k.startswith("grad:")} == set(parameters)
    smallest = min((oracle[f"grad:{k}"].norm() / p.norm()).item() for k, p in parameters.items())
    assert smallest > 1e-4, "a gradient that vanishes"
    for key, parameter in parameters.items():
        assert (oracle[f"grad:{key}"] != 0).any() and parameter.std() > 0.05, key
    print(f"    smallest gradient / weight norm {smallest:.2e}")
    for key, value in oracle.items():
        if value.is_floating_point():
            assert value.isfinite().all() and (value.numel() == 1 or value.abs().max() < 1000), key

    # The gradients together against a central difference of the loss along them.
    moved, values, step = load(name), [], 1e-3
    length = sum(oracle[f"grad:{k}"].double().square().sum() for k in parameters).sqrt().item()
    for sign in (1, -1):
        with torch.no_grad():
            for key, parameter in moved.named_parameters():
                parameter.copy_(parameters[key] + sign * step / length * oracle[f"grad:{key}"])
        values.append(loss_of(logits_of(moved, tokens).double(), tokens).item())
    difference = (values[0] - values[1]) / (2 * step)
    assert abs(length - difference) < 1e-3 * length, (length, difference)

    for layer in range(model.config.num_hidden_layers):
        pruned = load(name)
        del pruned.model.layers[layer]
        pruned.config.num_hidden_layers -= 1
        if getattr(pruned.config, "layer_types", None):
            del pruned.config.layer_types[layer]
        change = nmse(logits_of(pruned, tokens), reference)
        assert change > 1e-2, (layer, change)
        print(f"    without layer {layer}: logits NMSE {change:.3f}")
    for what, changes in SWITCHED_OFF[name].items():
        change = nmse(logits_of(load(name, **changes), tokens), reference)
        assert change > LEAST_CHANGE.get(what, 1e-4), (what, change)
        print(f"    {what}: logits NMSE {change:.2e}")


def check_derived() -> None:
    whole = load_file(MODELS / "llama-pico" / "oracle.safetensors")
    pruned = load_file(MODELS / "llama-pico-pruned" / "oracle.safetensors")
    assert torch.equal(whole["tokens"], pruned["tokens"]) and nmse(pruned["logits"], whole["logits"]) > 1e-2
    sharded = MODELS / "llama-pico-bf16-sharded"
    shards = sorted(sharded.glob("model-*.safetensors"))
    assert len(shards) >= 3 and (sharded / "model.safetensors.index.json").exists()
    oracle = load_file(sharded / "oracle.safetensors")
    assert 1e-8 < nmse(oracle["logits"], whole["logits"]) < 1e-2
    assert nmse(logits_of(load("llama-pico-bf16-sharded"), oracle["tokens"]), oracle["logits"]) < 1e-12
    print(f"llama-pico-pruned, llama-pico-bf16-sharded ({len(shards)} shards): as they should be")


def main() -> None:
    torch.set_num_threads(2)
    names = sys.argv[1:] or list(CONFIGS)
    for name in names:
        generate(name)
        check(name)
    if "llama-pico" in names:
        generate_pruned()
        generate_sharded()
        check_derived()


if __name__ == "__main__":
    main()
