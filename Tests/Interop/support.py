"""What the interop cases share: the binary, the models, the reference engines, and a line for each figure."""

import json
import logging
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Fixtures"
MTCONV = os.environ.get("MTCONV", str(ROOT / ".build/release/mtconv"))
CACHE = Path(os.environ.get("MTCONV_CACHE", Path.home() / ".cache/mtconv"))
WORK = Path(os.environ.get("MTCONV_WORK", "/tmp/mtconv-interop"))
SMOLLM2_GGUF = CACHE / "SmolLM2-135M-Instruct.Q4_1.gguf"
PROMPTS = [
    "The capital of France is",
    "Once upon a time, in a village by the sea, there lived",
    "def fibonacci(n):\n    \"\"\"Return the n-th number.\"\"\"\n",
]

failures = 0


def check(name: str, figure, passes) -> None:
    """Prints one line of the report and remembers a failure for `finish`."""
    global failures
    failures += not passes
    print(f"{'pass' if passes else 'FAIL'}  {name}: {figure}", flush=True)


def note(name: str, figure) -> None:
    print(f"      {name}: {figure}", flush=True)


def fit_to_llama_cpp(folder, config) -> None:
    """Changes what llama.cpp fixes: Gemma 2's query scale, the width of Nemotron's query heads together."""
    from safetensors.numpy import load_file, save_file

    if config["model_type"] == "gemma2":
        config["query_pre_attn_scalar"] = config["head_dim"]
    if config["model_type"] == "nemotron":
        config["num_attention_heads"], config["num_key_value_heads"] = 5, 1
        weights = load_file(folder / "model.safetensors")
        for name, values in weights.items():
            if name.endswith(("k_proj.weight", "v_proj.weight")):
                weights[name] = values[: config["head_dim"]]
            elif name.endswith("q_proj.weight"):
                weights[name] = values[: config["hidden_size"]]
            elif name.endswith("o_proj.weight"):
                weights[name] = values[:, : config["hidden_size"]].copy()
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def finish() -> None:
    sys.exit(1 if failures else 0)


def mtconv(*arguments, ok=(0,)) -> subprocess.CompletedProcess:
    result = subprocess.run([MTCONV, *map(str, arguments)], capture_output=True, text=True)
    if ok is not None and result.returncode not in ok:
        sys.exit(f"mtconv {' '.join(map(str, arguments))}\nexit code {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def mtconv_json(*arguments):
    return json.loads(mtconv(*arguments, "--json", "--quiet").stdout)


def fresh(name: str) -> Path:
    path = WORK / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def smollm2_hf() -> Path:
    """The Hugging Face directory that mtconv makes of the GGUF: BF16, made once for each scratch folder."""
    path = WORK / "smollm2-hf"
    if not path.exists():
        mtconv("convert", SMOLLM2_GGUF, path)
    return path


def text_path() -> Path:
    """A text to measure on: $MTCONV_TEXT, the held-out text of the fixtures, or the language reference inside Python."""
    if "MTCONV_TEXT" in os.environ:
        return Path(os.environ["MTCONV_TEXT"])
    for path in sorted(FIXTURES.glob("**/*held*out*.txt")):
        return path
    path = WORK / "python-topics.txt"
    if not path.exists():
        from pydoc_data.topics import topics

        path.write_text("\n\n".join(topics[key] for key in sorted(topics)))
    return path


def token_chunks(tokenizer, count: int, length: int = 512):
    """The first chunks of the text, cut as `mtconv perplexity` cuts it for a model without a beginning token."""
    ids = tokenizer(text_path().read_text(), add_special_tokens=False, verbose=False).input_ids
    return [ids[i * length : (i + 1) * length] for i in range(count)]


def fixture_texts() -> list[str]:
    return json.loads((FIXTURES / "tokenizers/texts.json").read_text())


def logits(model, ids, *options) -> np.ndarray:
    """Our logits, tokens × vocabulary."""
    from safetensors.numpy import load_file

    path = fresh("logits.safetensors")
    mtconv("logits", model, "--tokens", ",".join(map(str, ids)), "-o", path, *options)
    return load_file(path)["logits"]


def nmse(a, b) -> float:
    """Mean square error over the mean square of `b`."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(np.sum((a - b) ** 2) / np.sum(b**2))


def top1_agreement(a, b) -> float:
    return float(np.mean(np.argmax(a, -1) == np.argmax(b, -1)))


class Complaints(logging.Handler):
    """Collects what Python libraries warn about."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record):
        self.lines.append(record.getMessage())

    def __enter__(self):
        from transformers.utils import logging as hf_logging

        hf_logging.set_verbosity_warning()
        hf_logging.disable_progress_bar()
        logging.getLogger("transformers").addHandler(self)
        logging.getLogger("compressed_tensors").addHandler(self)
        self._warnings = warnings.catch_warnings(record=True)
        self._caught = self._warnings.__enter__()
        warnings.simplefilter("always")
        return self

    def __exit__(self, *error):
        self._warnings.__exit__(*error)
        self.lines += [str(w.message) for w in self._caught if not issubclass(w.category, DeprecationWarning)]
        logging.getLogger("transformers").removeHandler(self)
        logging.getLogger("compressed_tensors").removeHandler(self)


def causal_model(path, dtype="float32", **options):
    """A model of transformers, eager attention; what loading warned about is in `.complaints`."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(os.cpu_count())
    with Complaints() as complaints:
        model = AutoModelForCausalLM.from_pretrained(
            path, dtype=getattr(torch, dtype), attn_implementation="eager", **options).eval().requires_grad_(False)
    model.complaints = complaints.lines
    return model


def torch_logits(model, ids) -> np.ndarray:
    import torch

    with torch.inference_mode():
        return model(torch.tensor([ids]), use_cache=False).logits[0].float().numpy()


def torch_greedy(model, ids, count: int) -> list[int]:
    import torch

    result, past, step = [], None, torch.tensor([ids])
    with torch.inference_mode():
        for _ in range(count):
            out = model(step, past_key_values=past, use_cache=True)
            past, step = out.past_key_values, out.logits[:, -1:].argmax(-1)
            result.append(int(step))
    return result


class LlamaCpp:
    """A model in llama.cpp: F32 attention state, no special treatment of tokens, its log kept."""

    def __init__(self, path, context: int = 1024):
        import ctypes

        import llama_cpp

        self.log: list[str] = []

        @llama_cpp.llama_log_callback
        def keep(level, text, _):
            if level in (3, 4):  # warnings and errors
                self.log.append(text.decode(errors="replace").strip())

        self._keep = keep
        llama_cpp.llama_log_set(keep, ctypes.c_void_p(0))
        self.model = llama_cpp.Llama(
            str(path), n_ctx=context, n_batch=context, n_ubatch=context, logits_all=True, n_threads=os.cpu_count(),
            n_threads_batch=os.cpu_count(), type_k=0, type_v=0, verbose=False)

    def logits(self, ids) -> np.ndarray:
        self.model.reset()
        self.model.eval(ids)
        return np.array(self.model.scores[: len(ids)])

    def greedy(self, ids, count: int) -> list[int]:
        self.model.reset()
        self.model.eval(ids)
        result = []
        for _ in range(count):
            result.append(int(np.argmax(self.model.scores[self.model.n_tokens - 1])))
            self.model.eval(result[-1:])
        return result

    def tokens(self, text: str) -> list[int]:
        return self.model.tokenize(text.encode(), add_bos=True, special=True)
