"""Makes Fixtures/compression/emulation.safetensors: what rounding activations to FP8 as an engine does gives.

    python fp8_emulation.py      torch 2.15, transformers 5.23, compressed-tensors 0.20, safetensors 0.8

`rows` rounded in every way, by torch.float8_e4m3fn with the scales of vLLM (csrc/quantization/w8a8: a token's at least 1 ÷ (448 · 512), a
group's of a maximum of at least 1e-10) and, for powers of two, of the OCP Microscaling specification; where nothing is that small,
compressed-tensors gives the same. And logits of the first sequence of the picos' oracles by transformers in F32, with the inputs of all linear
modules but the head rounded, and keys (rotated) and values as they go into the cache.
"""

import json
from pathlib import Path

import torch
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import fake_quantize
from compressed_tensors.quantization.utils import compute_dynamic_scales_and_zp
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, DynamicCache

FIXTURES = Path(__file__).resolve().parents[1]
FAMILIES = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]
KEY_SCALE, VALUE_SCALE = 0.011, 0.007
# Of the inputs of the linear modules of a block, in the order in which they run.
INPUT_SCALES = [0.006, 0.006, 0.006, 0.002, 0.005, 0.005, 0.003]


def rounded(x: torch.Tensor, scale) -> torch.Tensor:
    scale = torch.as_tensor(scale, dtype=torch.float32)
    return (x / scale).clamp(-448, 448).to(torch.float8_e4m3fn).float() * scale


def per_token(x):
    return rounded(x, (x.abs().amax(-1, keepdim=True) / 448).clamp(min=1 / (448 * 512)))


def per_sequence(x):
    return rounded(x, (x.abs().amax() / 448).clamp(min=1 / (448 * 512)))


def per_group(x, size=16):
    return torch.cat([rounded(p, p.abs().amax(-1, keepdim=True).clamp(min=1e-10) / 448) for p in x.split(size, -1)], -1)


def per_group_in_powers_of_two(x, size=16):
    parts = []
    for part in x.split(size, -1):
        exponent = torch.frexp(part.abs().amax(-1, keepdim=True).clamp(min=2.0**-118)).exponent - 1
        parts.append(rounded(part, torch.ldexp(torch.ones(()), exponent - 8)))
    return torch.cat(parts, -1)


def test_rows() -> torch.Tensor:
    torch.manual_seed(5)
    rows = torch.randn(8, 40) * torch.tensor([1.0, 0.01, 30.0, 1.0, 1.0, 1.0, 1.0, 1.0])[:, None]
    rows[3, 7] = 500.0  # an outlier takes most of the range
    rows[4] = 0
    rows[5] *= 1e-5  # below the least scale of a token
    rows[6] *= 1e-12  # and of a group
    rows[7] = torch.arange(40) * 0.25 - 3  # ties, and zero
    return rows


def check_against_compressed_tensors(rows: torch.Tensor) -> None:
    rows = rows[[0, 1, 2, 3, 7]]
    for strategy, ours, width in [("token", per_token, 40), ("group", per_group, 32), ("tensor", per_sequence, 40)]:
        args = QuantizationArgs(
            num_bits=8, type="float", strategy=strategy, dynamic=True, symmetric=True,
            group_size=16 if strategy == "group" else None)
        x = rows[None, :, :width]
        scale, zero = compute_dynamic_scales_and_zp(x, args, torch.nn.Module())
        theirs = fake_quantize(x, scale, zero, args)
        assert torch.equal(theirs, ours(x)), strategy


class RoundedCache(DynamicCache):
    def update(self, key, value, *arguments, **options):
        return super().update(rounded(key, KEY_SCALE), rounded(value, VALUE_SCALE), *arguments, **options)


def logits(family: str, way, with_cache: bool) -> torch.Tensor:
    folder = FIXTURES / "models" / f"{family}-pico"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokens = load_file(folder / "oracle.safetensors")["tokens"][:1]
    linear = [m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and n != "lm_head"]
    for index, module in enumerate(linear):
        module.register_forward_pre_hook(lambda _, x, index=index: (way(x[0], index),))
    with torch.inference_mode():
        cache = RoundedCache(config=model.config) if with_cache else None
        return model(tokens, past_key_values=cache, use_cache=with_cache).logits[0].clone()


def main() -> None:
    rows = test_rows()
    check_against_compressed_tensors(rows)
    tensors = {
        "rows": rows, "rows:token": per_token(rows), "rows:group": per_group(rows), "rows:calibrated": rounded(rows, 0.01),
        "rows:power": per_group_in_powers_of_two(rows),
        "rows:sequence": torch.cat([per_sequence(rows[:3]), per_sequence(rows[3:])]),
    }
    for family in FAMILIES:
        tensors[f"{family}:token+cache"] = logits(family, lambda x, _: per_token(x), True)
    tensors["llama:group"] = logits("llama", lambda x, _: per_group(x), False)
    tensors["llama:power"] = logits("llama", lambda x, _: per_group_in_powers_of_two(x), False)
    tensors["llama:sequence"] = logits("llama", lambda x, _: per_sequence(x), False)
    tensors["llama:calibrated"] = logits("llama", lambda x, i: rounded(x, INPUT_SCALES[i % len(INPUT_SCALES)]), False)
    for family in FAMILIES:
        plain = logits(family, lambda x, _: x, False)
        found = tensors[f"{family}:token+cache"]
        print(family, "rounding changes logits by NMSE", float(((found - plain) ** 2).sum() / (plain**2).sum()))
    scales = {"key": KEY_SCALE, "value": VALUE_SCALE, "inputs": INPUT_SCALES}
    save_file({k: v.contiguous() for k, v in tensors.items()}, FIXTURES / "compression/emulation.safetensors",
              {"scales": json.dumps(scales)})


main()
