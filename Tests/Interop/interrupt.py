"""Runs that are stopped half-way: nothing under the final name, and after an interrupt nothing at all."""

import signal
import subprocess
import time

from support import *

source = smollm2_hf()


def stop(out, number, *arguments):
    """Starts a run, stops it as soon as it has begun to write, and returns its exit code."""
    process = subprocess.Popen([MTCONV, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if partials(out):
            time.sleep(0.05)
            break
        time.sleep(0.002)
    process.send_signal(number)
    return process.wait(60)


def partials(out):
    return sorted(p.name for p in out.parent.iterdir() if p.name.startswith(out.name + "."))


for name, out, arguments in [
    ("convert to GGUF", "stopped/model.gguf", ["convert", source, "OUT", "--dtype", "f32"]),
    ("convert to a directory", "stopped/model", ["convert", source, "OUT", "--dtype", "f32"]),
    ("compress", "stopped/small", ["compress", source, "OUT", "--fp8", "--dtype", "f32"]),
]:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        out_path = fresh(out)
        code = stop(out_path, number, *[out_path if a == "OUT" else a for a in arguments])
        left = partials(out_path)
        if number == signal.SIGKILL:
            passes = code == -number and not out_path.exists()
        else:
            passes = code == 130 and not out_path.exists() and not left
        check(f"{name}, {number.name}", f"exit code {code}, final name {'taken' if out_path.exists() else 'free'}, "
              f"{len(left)} partials left", passes)
        for partial in left:
            fresh(f"stopped/{partial}")
finish()
