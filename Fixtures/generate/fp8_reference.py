"""Makes Fixtures/models/fp8-reference: a random BF16 Llama and what llm-compressor quantizes it to.

    python fp8_reference.py model     src/ and fp8-dynamic/; made with torch 2.14, transformers 5.17,
                                      llm-compressor 0.14.0.1 and compressed-tensors 0.19.0
    python fp8_reference.py others    fp8-block/, fp8-static-kv/, modelopt-fp8-kv/ and calibration.json; made with the same, and
                                      ModelOpt 0.47.0
    python fp8_reference.py oracle    single.json, single.safetensors and rows.safetensors; made with torch 2.15,
                                      compressed-tensors 0.20.0 and safetensors 0.8

Two ways to round. compat: the quotient weight ÷ scale is rounded to BF16 before it becomes a code, which is what the
reference does with BF16 weights. single: the quotient is F32, rounded once. Scales are the same. single.safetensors holds
the codes that differ from the reference's, by their index in the tensor; single.json the signal to noise of both.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parents[1] / "models" / "fp8-reference"


def make_model() -> None:
    from llmcompressor import model_free_ptq
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    config = LlamaConfig(
        hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
        head_dim=64, vocab_size=64, max_position_embeddings=128, tie_word_embeddings=False, rms_norm_eps=1e-5,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(HERE / "src")
    model_free_ptq(
        HERE / "src", HERE / "fp8-dynamic", scheme="FP8_DYNAMIC", ignore=["lm_head", "model.embed_tokens"],
        device="cpu")
    for name in ["model.safetensors.index.json", "generation_config.json"]:
        (HERE / "fp8-dynamic" / name).unlink(missing_ok=True)


def make_others() -> None:
    import copy

    import modelopt.torch.quantization as mtq
    from datasets import Dataset
    from llmcompressor import model_free_ptq, oneshot
    from llmcompressor.modifiers.quantization import QuantizationModifier
    from modelopt.torch.export import export_hf_checkpoint
    from transformers import LlamaForCausalLM

    def source():
        return LlamaForCausalLM.from_pretrained(HERE / "src", dtype=torch.bfloat16)

    model_free_ptq(
        HERE / "src", HERE / "fp8-block", scheme="FP8_BLOCK", ignore=["lm_head", "model.embed_tokens"], device="cpu")
    torch.manual_seed(1)
    tokens = torch.randint(3, 64, (8, 32))
    (HERE / "calibration.json").write_text(json.dumps(tokens.tolist()))
    cache = {"num_bits": 8, "type": "float", "strategy": "tensor", "dynamic": False, "symmetric": True}
    oneshot(
        model=source(), dataset=Dataset.from_dict({"input_ids": tokens.tolist(), "attention_mask": [[1] * 32] * 8}),
        recipe=QuantizationModifier(targets="Linear", scheme="FP8", ignore=["lm_head"], kv_cache_scheme=cache),
        max_seq_length=32, num_calibration_samples=8, output_dir=str(HERE / "fp8-static-kv"))

    def run(model):
        with torch.no_grad():
            for row in tokens:
                model(row[None])

    config = copy.deepcopy(mtq.FP8_DEFAULT_CFG)
    config["quant_cfg"] = list(config["quant_cfg"]) + list(mtq.FP8_KV_CFG["quant_cfg"])
    model = source()
    mtq.quantize(model, config, run)
    export_hf_checkpoint(model, export_dir=str(HERE / "modelopt-fp8-kv"))


def scales_of(weight: torch.Tensor) -> torch.Tensor:
    """BF16 scales, (out, 1), by the reference itself."""
    from compressed_tensors.quantization import QuantizationArgs
    from compressed_tensors.quantization.utils import calculate_qparams

    arguments = QuantizationArgs(num_bits=8, type="float", strategy="channel", symmetric=True)
    low, high = weight.amin(dim=1, keepdim=True), weight.amax(dim=1, keepdim=True)
    return calculate_qparams(low, high, arguments)[0]


def codes(weight: torch.Tensor, scale: torch.Tensor, rounding: str) -> torch.Tensor:
    quotient = weight.float() / scale.float()
    if rounding == "compat":
        quotient = quotient.bfloat16().float()
    return quotient.clamp(-448, 448).to(torch.float8_e4m3fn)


def noise(weight: torch.Tensor, code: torch.Tensor, scale: torch.Tensor) -> tuple[float, float]:
    exact = weight.double()
    error = exact - code.double() * scale.double()
    return exact.square().sum().item(), error.square().sum().item()


def decibels(signal: float, error: float) -> float:
    return 10 * torch.log10(torch.tensor(signal / error, dtype=torch.float64)).item()


def make_single() -> None:
    source = load_file(HERE / "src" / "model.safetensors")
    reference = load_file(HERE / "fp8-dynamic" / "model.safetensors")
    result, changed, sums = {}, {}, {"single": [0.0, 0.0], "compat": [0.0, 0.0]}
    for name in sorted(k for k, v in reference.items() if v.dtype == torch.float8_e4m3fn):
        weight, scale = source[name], scales_of(source[name])
        assert torch.equal(scale, reference[name + "_scale"])
        assert torch.equal(codes(weight, scale, "compat").view(torch.uint8), reference[name].view(torch.uint8))
        row = {}
        for rounding in sums:
            code = codes(weight, scale, rounding)
            signal, error = noise(weight, code, scale)
            sums[rounding][0] += signal
            sums[rounding][1] += error
            row[rounding] = decibels(signal, error)
        single = codes(weight, scale, "single").view(torch.uint8).flatten()
        index = (single != reference[name].view(torch.uint8).flatten()).nonzero().flatten()
        changed[f"{name}.index"] = index.to(torch.int32)
        changed[f"{name}.code"] = single[index].contiguous()
        result[name] = row
    result = {"whole": {key: decibels(*value) for key, value in sums.items()}, "tensors": result}
    (HERE / "single.json").write_text(json.dumps(result, indent=2) + "\n")
    save_file(changed, HERE / "single.safetensors")


def make_rows() -> None:
    """Rows at the edges of the formats, as BF16 weights and as F32 weights whose scales are still BF16."""
    torch.manual_seed(11)
    length = 64
    normal = torch.randn(6, length)
    subnormal_bf16 = torch.full((length,), 2.0**-133)
    rows = {
        "zeros": torch.zeros(length),
        "negative_zeros": -torch.zeros(length),
        "one_huge_value": torch.where(torch.arange(length) == 17, torch.tensor(3.0e38), normal[0] * 1e-3),
        "largest_finite": torch.where(torch.arange(length) % 2 == 0, 1.0, -1.0) * 3.3895e38,
        "ordinary": normal[1] * 0.02,
        "subnormal_scale": normal[2] * 1e-37,
        "scale_rounds_to_zero": normal[3] * 1e-39,
        "smallest_subnormals": subnormal_bf16,
        "one_value": torch.where(torch.arange(length) == 3, torch.tensor(-0.75), torch.tensor(0.0)),
        "ties": (torch.arange(length) - 32).float() / 16 * 7.5,
        "scale_rounded_down": torch.cat([torch.tensor([448.0 * 1.0019]), normal[4][1:] * 100]),
        "scale_rounded_up": torch.cat([torch.tensor([448.0 * 1.0059]), normal[5][1:] * 100]),
    }
    weight = torch.stack(list(rows.values()))
    tensors = {}
    for name, dtype in [("bf16", torch.bfloat16), ("f32", torch.float32)]:
        values = weight.to(dtype)
        # The reference keeps scales in the format of the weights. Ours are BF16 whatever the source.
        scale = scales_of(values.bfloat16()) if dtype == torch.bfloat16 else bf16_scales(values)
        tensors[name] = values
        tensors[f"{name}.scale"] = scale
        for rounding in ["single", "compat"]:
            tensors[f"{name}.{rounding}"] = codes(values, scale, rounding).view(torch.uint8)
    assert torch.equal(bf16_scales(tensors["bf16"]), tensors["bf16.scale"])
    save_file(tensors, HERE / "rows.safetensors", metadata={"rows": json.dumps(list(rows))})


def bf16_scales(weight: torch.Tensor) -> torch.Tensor:
    scale = (weight.float().abs().amax(dim=1, keepdim=True) / 448).bfloat16()
    return torch.where(scale == 0, torch.tensor(torch.finfo(torch.bfloat16).eps, dtype=torch.bfloat16), scale)


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "oracle"
    if what == "model":
        shutil.rmtree(HERE, ignore_errors=True)
        make_model()
    if what == "others":
        return make_others()
    make_single()
    make_rows()


if __name__ == "__main__":
    main()
