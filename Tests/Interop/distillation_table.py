"""The claims of the Minitron papers at a size that two cores can train, as in Docs/Distillation.md.

    distillation_table.py kjv [TEXT]                        the bundled model; TEXT: the Bible as the fixture's text was made
    distillation_table.py MODEL TRAINING.txt HELDOUT.txt TOKENS     another model, for example SmolLM2

One budget of tokens for (a) prune + distil, (b) prune + cross-entropy, (c) random weights + distil; held-out perplexity against
tokens. Students: half of the layers, and half of the feed-forward and three quarters of the hidden size. Everything is
kept in MTCONV_WORK, and a run that was stopped goes on.
"""

import json

from support import *

KJV = FIXTURES / "models/kjv-1m"


def run(label, out, *arguments):
    """Trains to the end, from where it was stopped; gives the held-out perplexity by tokens."""
    work = Path(f"{out}.work")
    if not Path(out).exists() and not (work / "finished").exists():
        resume = ["--resume"] if (work / "state.safetensors").exists() else []
        # 1: no step was better than the start, which is a result here.
        mtconv(*arguments, "-o", out, *resume, ok=(0, 1))
        (work / "finished").touch()
    lines = [json.loads(line) for line in open(work / "log.jsonl")]
    curve = [(line["step"], line["heldOut"]["perplexity"]["value"]) for line in lines if "heldOut" in line]
    return label, curve


def table(title, curves, tokens_per_step):
    print(f"\n{title}\n")
    steps = [step for step, _ in curves[0][1]]
    print("| tokens | " + " | ".join(label for label, _ in curves) + " |")
    print("|---" * (len(curves) + 1) + "|")
    for step in steps:
        cells = [f"{dict(curve)[step]:.2f}" if step in dict(curve) else "" for _, curve in curves]
        print(f"| {step * tokens_per_step:,} | " + " | ".join(cells) + " |")


def compare(name, teacher, student, text, heldout, tokens, context, rate, *more):
    shared = [
        "--data", text, "--heldout", heldout, "--heldout-chunks", 8, "--context", context, "--learning-rate", rate,
        "--tokens", tokens, *more]
    distil = ["distill", "--teacher", teacher, "--student", student, *shared]
    curves = [
        run("prune + distil", WORK / f"{name}-distilled", *distil),
        run("prune + cross-entropy", WORK / f"{name}-finetuned", "finetune", student, *shared),
        run("random + distil", WORK / f"{name}-random", *distil, "--random-start"),
    ]
    return curves


def catch_up(curve, goal, tokens_per_step):
    """Tokens after which a run is as good as `goal`; None if it never is."""
    return next((step * tokens_per_step for step, value in curve if value <= goal), None)


def students(model, layers, sizes, calibration):
    """Half of the layers, and a narrower one; both healed."""
    stats = WORK / "stats.safetensors"
    if not stats.exists():
        mtconv("calibrate", model, "--text", calibration, "--chunks", 40, "-o", stats)
    made = {}
    for name, options in {"depth": ["--drop-layers", layers // 2], "width": sizes}.items():
        out, plan, healed = WORK / f"student-{name}", WORK / f"{name}.json", WORK / f"{name}-healed.safetensors"
        if not out.exists():
            mtconv("plan", model, "--stats", stats, *options, "-o", plan, "--force")
            mtconv("heal", model, "--plan", plan, "--text", calibration, "--chunks", 40, "--sample", "start",
                   "-o", healed, "--force")
            mtconv("prune", model, "--plan", plan, "--heal", healed, "-o", out)
        made[name] = out
    return made


def kjv(text):
    rate, context = 1e-3, 256
    for name, student in students(KJV, 12, ["--ffn", 128, "--hidden", 72], KJV / "calibration.txt").items():
        curves = compare(f"kjv-{name}", KJV, student, text, KJV / "heldout.txt", 500_000, context, rate, "--batch", 4)
        table(f"kjv-1m, {name}", curves, 4 * context)
        goal = min(value for _, value in curves[0][1])
        for factor in (4, 16):
            label, curve = run(
                f"random, {factor} times the tokens", WORK / f"kjv-{name}-random-{factor}", "distill", "--teacher", KJV,
                "--student", student, "--random-start", "--data", text, "--heldout", KJV / "heldout.txt", "--heldout-chunks",
                8, "--context", context, "--learning-rate", rate, "--batch", 4, "--tokens", factor * 500_000)
            reached = catch_up(curve, goal, 4 * context)
            note(f"{label}: best {min(v for _, v in curve):.2f}; goal {goal:.2f} reached after", reached or "never")
            if reached:
                break


def main():
    if sys.argv[1:2] == ["kjv"] or len(sys.argv) < 5:
        return kjv(Path(sys.argv[2]) if len(sys.argv) > 2 else KJV / "calibration.txt")
    model, text, heldout, tokens = sys.argv[1:5]
    layers = json.loads((Path(model) / "config.json").read_text())["num_hidden_layers"]
    for name, student in students(model, layers, ["--ffn", 768, "--heads", 6], text).items():
        table(f"{Path(model).name}, {name}", compare(name, model, student, text, heldout, tokens, 512, 3e-4), 512)


main()
