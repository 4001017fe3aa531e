"""Makes Fixtures/compression/metrics.json with numpy, in double precision.

    python compression_metrics.py      numpy 2.4, safetensors 0.8, torch 2.15, transformers 5.23

What comparisons of tensors and logits, block influence and perplexity must come to. Influence, loss and divergence are computed
from what transformers left in the oracles of Fixtures/models.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

FIXTURES = Path(__file__).resolve().parents[1]
FAMILIES = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]


def errors(a: np.ndarray, b: np.ndarray) -> dict:
    a, b = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    noise = np.sum((a - b) ** 2)
    signal = np.sum(a * a)
    norm = np.sqrt(signal * np.sum(b * b))
    return {
        "normalized": noise / signal if noise else 0.0,
        "maximum": np.max(np.abs(a - b)),
        "signal_to_noise": 10 * np.log10(signal / noise) if noise else None,
        "cosine": np.sum(a * b) / norm if norm else float(noise == 0),
    }


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def logit_comparison(a: np.ndarray, b: np.ndarray) -> dict:
    log_p, log_q = log_softmax(a), log_softmax(b)
    return {
        "normalized_error": errors(a, b)["normalized"],
        "divergence": np.mean(np.sum(np.exp(log_p) * (log_p - log_q), axis=-1)),
        "top_agreement": np.mean(a.argmax(axis=-1) == b.argmax(axis=-1)),
    }


def perplexity(logits: np.ndarray, tokens: np.ndarray) -> dict:
    """The second half of each sequence is scored, as llama-perplexity does."""
    log_p = log_softmax(logits)
    losses = []
    for sequence, row in zip(tokens, log_p):
        for position in range(len(sequence) // 2, len(sequence) - 1):
            losses.append(-row[position, sequence[position + 1]])
    losses = np.array(losses)
    error = losses.std() / np.sqrt(len(losses) - 1)
    return {
        "value": np.exp(losses.mean()), "mean_loss": losses.mean(), "scored": len(losses),
        "standard_error": np.exp(losses.mean()) * error,
    }


def influence(oracle: dict) -> list[float]:
    scores = []
    while f"model.layers.{len(scores)}:input" in oracle:
        x = oracle[f"model.layers.{len(scores)}:input"].astype(np.float64)
        y = oracle[f"model.layers.{len(scores)}:output"].astype(np.float64)
        cosine = (x * y).sum(axis=-1) / np.linalg.norm(x, axis=-1) / np.linalg.norm(y, axis=-1)
        scores.append(1 - cosine.mean())
    return scores


def random_pairs() -> list[dict]:
    generator = np.random.default_rng(5)
    a = generator.normal(size=(3, 17)).astype(np.float32)
    cases = {
        "near": (a, a + generator.normal(size=a.shape).astype(np.float32) * np.float32(1e-3)),
        "far": (a, generator.normal(size=a.shape).astype(np.float32) * np.float32(30)),
        "equal": (a, a),
        "scaled": (a, a * np.float32(4)),
        "zero": (a, a * np.float32(0)),
        "large": (a * np.float32(1e18), a * np.float32(1.25e18)),
    }
    result = []
    for name, (left, right) in cases.items():
        with np.errstate(all="ignore"):
            result.append({
                "name": name, "rows": 3, "columns": 17, "a": left.ravel().tolist(), "b": right.ravel().tolist(),
                "errors": errors(left, right), "logits": logit_comparison(left, right),
            })
    return result


def trained() -> dict:
    """kjv-1m on the beginning of its held-out text, whole and without the three layers of least influence, in F32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path, context, chunks = FIXTURES / "models" / "kjv-1m", 128, 2
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(path)

    def sequences(name: str) -> torch.Tensor:
        # As llama-perplexity: the beginning token before the text, and in place of the first token of each further sequence.
        ids = tokenizer((path / name).read_text())["input_ids"]
        assert ids[0] == tokenizer.bos_token_id
        tokens = torch.tensor(ids[: context * chunks]).reshape(chunks, context)
        tokens[:, 0] = tokenizer.bos_token_id
        return tokens

    heldout, calibration = sequences("heldout.txt"), sequences("calibration.txt")
    with torch.no_grad():
        states, inputs = {}, []
        hooks = [
            layer.register_forward_hook(lambda _, x, y: inputs.append((x[0], y[0] if isinstance(y, tuple) else y)))
            for layer in model.model.layers]
        model(calibration)
        for hook in hooks:
            hook.remove()
        for index, (x, y) in enumerate(inputs):
            states[f"model.layers.{index}:input"], states[f"model.layers.{index}:output"] = x.numpy(), y.numpy()
        scores = influence(states)
        whole = model(heldout).logits
        kept = sorted(np.argsort(scores)[3:].tolist())
        model.model.layers = torch.nn.ModuleList(model.model.layers[i] for i in kept)
        for index, layer in enumerate(model.model.layers):
            layer.self_attn.layer_idx = index
        model.config.num_hidden_layers = len(kept)
        pruned = model(heldout, use_cache=False).logits
    return {
        "context": context, "chunks": chunks, "influence": scores, "kept": kept,
        "perplexity": perplexity(whole.numpy(), heldout.numpy()),
        "pruned": perplexity(pruned.numpy(), heldout.numpy()),
        "comparison": logit_comparison(whole.numpy(), pruned.numpy()),
    }


def main() -> None:
    result = {"pairs": random_pairs(), "models": {}}
    oracles = {f: load_file(FIXTURES / "models" / f"{f}-pico" / "oracle.safetensors") for f in FAMILIES}
    for family, oracle in oracles.items():
        result["models"][family] = {
            "influence": influence(oracle), "perplexity": perplexity(oracle["logits"], oracle["tokens"])}
    pruned = load_file(FIXTURES / "models" / "llama-pico-pruned" / "oracle.safetensors")
    whole = oracles["llama"]
    result["pruned"] = {
        "perplexity": perplexity(pruned["logits"], whole["tokens"]),
        "comparison": logit_comparison(whole["logits"], pruned["logits"]),
    }
    result["trained"] = trained()
    out = FIXTURES / "compression" / "metrics.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(result, default=float, indent=1) + "\n")


if __name__ == "__main__":
    main()
