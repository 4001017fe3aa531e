"""Makes Fixtures/tasks/oracle.json: what lm-eval makes of the questions beside it, and how kjv-1m answers them.

    python tasks.py [MODEL DIRECTORY]      lm-eval 0.4.13, transformers 5.23, torch 2.15

The harness itself loads its tasks, asks a transformers model in F32 and scores the answers; only the data sets are replaced by
the questions of this repository. With another model the result goes to standard output, for `mtconv eval` to be held against.
"""

import json
import sys
from pathlib import Path

import datasets
import lm_eval
from lm_eval.api.metrics import pooled_sample_stderr
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

FIXTURES = Path(__file__).resolve().parents[1]
TASKS = FIXTURES / "tasks"
NAMES = {"winogrande": "winogrande", "hellaswag": "hellaswag", "arc": "arc_easy", "piqa": "piqa"}


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (TASKS / f"{name}.jsonl").read_text().splitlines()]


def questions(task: str) -> dict:
    """What `datasets.load_dataset` would give for a task of the harness."""
    if task.startswith("mmlu_"):
        subject = task.removeprefix("mmlu_")
        of_subject = {
            split: [row for row in rows(name) if row["subject"] == subject]
            for split, name in [("test", "mmlu"), ("dev", "mmlu-dev")]}
        return {split: datasets.Dataset.from_list(found) for split, found in of_subject.items()}
    name = next(ours for ours, theirs in NAMES.items() if theirs == task)
    found = rows(name)
    for row in found:
        # The data set holds it as text; a number is the same to the harness.
        if name == "hellaswag":
            row["label"] = str(row["label"])
    split = datasets.Dataset.from_list(found)
    return {"train": split, "validation": split, "test": split}


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES / "models" / "kjv-1m"
    ConfigurableTask.download = lambda self, *_, **__: setattr(self, "dataset", questions(self.config.task))
    subjects = sorted({row["subject"] for row in rows("mmlu")})
    model = HFLM(pretrained=str(path), dtype="float32", device="cpu", batch_size=1)
    tasks = list(NAMES.values()) + [f"mmlu_{subject}" for subject in subjects]
    found = {}
    for shots in (0, 5):
        chosen = [task for task in tasks if shots == 0 or task.startswith("mmlu")]
        found[shots] = lm_eval.simple_evaluate(
            model=model, tasks=chosen, num_fewshot=shots, log_samples=True, bootstrap_iters=1,
            task_manager=TaskManager())
    result = {}
    for ours, theirs in NAMES.items():
        result[ours] = task_result(found[0], theirs, model)
    for shots in (0, 5):
        result[f"mmlu-{shots}"] = mmlu_result(found[shots], subjects, model)
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":")).replace('{"acc"', '\n{"acc"') + "\n"
    if len(sys.argv) > 1:
        print(text, end="")
    else:
        (TASKS / "oracle.json").write_text(text)


def task_result(found: dict, task: str, model: HFLM) -> dict:
    scores = found["results"][task]
    result = {
        key: scores[f"{key},none"] for key in ["acc", "acc_stderr", "acc_norm", "acc_norm_stderr"] if f"{key},none" in scores}
    samples = sorted(found["samples"][task], key=lambda sample: sample["doc_id"])
    result["items"] = [item(sample, model) for sample in samples]
    return result


def item(sample: dict, model: HFLM) -> dict:
    requests = []
    for (context, continuation), response in zip(sample["arguments"], sample["resps"]):
        context_tokens, continuation_tokens = model._encode_pair(context, continuation)
        requests.append({
            "context": context, "continuation": continuation, "context_tokens": context_tokens,
            "continuation_tokens": continuation_tokens, "log_likelihood": float(response[0][0])})
    result = {"acc": sample["acc"], "requests": requests}
    if "acc_norm" in sample:
        result["acc_norm"] = sample["acc_norm"]
    return result


def mmlu_result(found: dict, subjects: list[str], model: HFLM) -> dict:
    """The subjects, and the group as the harness pools it."""
    parts = {subject: task_result(found, f"mmlu_{subject}", model) for subject in subjects}
    sizes = [len(part["items"]) for part in parts.values()]
    total = sum(part["acc"] * size for part, size in zip(parts.values(), sizes)) / sum(sizes)
    stderr = pooled_sample_stderr([part["acc_stderr"] for part in parts.values()], sizes)
    return {"acc": total, "acc_stderr": float(stderr), "subjects": parts}


if __name__ == "__main__":
    main()
