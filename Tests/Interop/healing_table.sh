#!/bin/sh
# What healing gives back: cuts of one model before and after it, a line each, as in Docs/Pruning.md, and against what it must beat.
#
#   Tests/Interop/healing_table.sh MODEL CALIBRATION.txt HELDOUT.txt [CASE ...]
#
# Calibration on the first 40 sequences of 512 tokens, perplexity on the first 20 of another text, the second half of each scored.
# The ridge is chosen on a part of the calibration text. Cases are 'name|options of mtconv plan'; without any, those of the table,
# which are for SmolLM2-135M. SAMPLE=spread calibrates and heals on as many sequences from all over the text. MTCONV names the binary,
# PYTHON one with numpy and safetensors for the cut by weight norm.
#
# QUESTIONS=FILE.jsonl also asks every model these questions, in the fields of HellaSwag, and prints how many it answers right (acc, and
# acc_norm with its standard error). `continuations.py HELDOUT.txt -o FILE.jsonl` makes such a file of the text itself.
set -eu

[ $# -ge 3 ] || { echo "usage: $0 MODEL CALIBRATION HELDOUT [CASE ...]" >&2; exit 64; }
model=$1 calibration=$2 heldout=$3
shift 3
mtconv=${MTCONV:-.build/release/mtconv}
chunks=${CHUNKS:-40} sample=${SAMPLE:-start}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

perplexity() { "$mtconv" perplexity "$1" --text "$heldout" --chunks 20 --quiet --json | sed -n 's/.*"perplexity": *\([0-9.]*\).*/\1/p'; }

# answers MODEL WHAT: a line of right answers, if there are questions
answers() {
  [ -n "${QUESTIONS:-}" ] || return 0
  "$mtconv" eval "$1" --task hellaswag --data "$QUESTIONS" --quiet | awk -v what="$2" '
    $1 == "hellaswag" { plain = $(NF - 2) } $1 == "acc_norm" { normalized = $(NF - 2) " ± " $NF }
    END { printf "%s: acc %s, acc_norm %s\n", what, plain, normalized }'
}

"$mtconv" calibrate "$model" --text "$calibration" --chunks "$chunks" --sample "$sample" --layer-loss 1 -o "$work/stats.safetensors" --quiet > /dev/null
parent=$(perplexity "$model")
printf 'parent: perplexity %.2f\n' "$parent"
answers "$model" parent

# measure NAME PLAN [nohealing]
measure() {
  "$mtconv" prune "$model" --plan "$2" -o "$work/cut" --force --quiet > /dev/null
  before=$(perplexity "$work/cut")
  answers "$work/cut" "$1"
  if [ "${3:-}" = nohealing ]; then
    printf '%s: perplexity %.2f, not healed\n' "$1" "$before"
    return
  fi
  "$mtconv" heal "$model" --plan "$2" --text "$calibration" --chunks "$chunks" --sample "$sample" -o "$work/healed.safetensors" --force --quiet > /dev/null
  "$mtconv" prune "$model" --plan "$2" -o "$work/cut" --heal "$work/healed.safetensors" --force --quiet > /dev/null
  after=$(perplexity "$work/cut")
  answers "$work/cut" "$1, healed"
  awk -v n="$1" -v p="$parent" -v b="$before" -v a="$after" 'BEGIN {
    printf "%s: perplexity %.2f, healed %.2f: %.0f %% of the log-excess gone\n", n, b, a, 100 * (1 - log(a / p) / log(b / p)) }'
}

# cut NAME OPTIONS: a plan of mtconv plan
cut() {
  name=$1
  shift
  "$mtconv" plan "$model" --stats "$work/stats.safetensors" -o "$work/plan.json" --force --quiet "$@" > /dev/null
  measure "$name" "$work/plan.json"
}

# The last layers, and the neurons of the smallest weights: what a plan must beat at the same number of parameters.
rivals() {
  "${PYTHON:-python3}" - "$model" "$work" "$1" "$2" <<'PYTHON'
import glob, json, sys
import numpy as np
from safetensors import safe_open
folder, out, ffn, dropped = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
layers = json.load(open(f"{folder}/config.json"))["num_hidden_layers"]
plan = {"parentLayerCount": layers, "keptLayers": list(range(layers)), "criterion": "explicit"}
last = dict(plan, keptLayers=list(range(layers - dropped)))
json.dump(last, open(f"{out}/last.json", "w"))
norms = {}
for path in glob.glob(f"{folder}/*.safetensors"):
    with safe_open(path, "pt") as file:
        for name in file.keys():
            if ".mlp." in name:
                weight = file.get_tensor(name).float().numpy().astype(np.float64)
                norms[name] = (weight ** 2).sum(0 if "down_proj" in name else 1)
kept = {}
for layer in range(layers):
    total = sum(norms[f"model.layers.{layer}.mlp.{p}_proj.weight"] for p in ("gate", "up", "down"))
    kept[f"layers.{layer}.intermediate"] = sorted(np.argsort(-total, kind="stable")[:ffn].tolist())
json.dump(dict(plan, keptIndices=kept), open(f"{out}/magnitude.json", "w"))
PYTHON
  measure "neurons by weight norm, $1 of them" "$work/magnitude.json" nohealing
  measure "the last $2 layers" "$work/last.json" nohealing
}

if [ $# -gt 0 ]; then
  for case in "$@"; do
    # shellcheck disable=SC2086
    cut "${case%%|*}" ${case#*|}
  done
  exit
fi
cut "ffn 1152" --ffn 1152
cut "ffn 1152 by Minitron's mean" --ffn 1152 --sequence mean
cut "4 layers, by influence" --drop-layers 4 --depth-by influence
# 6 layers weigh as much as 384 neurons in each.
rivals 1152 6
for layers in 6 10 15; do
  cut "$layers layers, by loss" --drop-layers $layers --depth-by loss
  cut "$layers layers, by influence" --drop-layers $layers --depth-by influence
  cut "$layers layers in a row" --drop-layers $layers --contiguous
done
cut "ffn 768" --ffn 768
cut "6 query heads" --heads 6
cut "3 query heads" --heads 3
cut "hidden 432" --hidden 432
cut "hidden 288" --hidden 288
cut "ffn 768, 6 query heads" --ffn 768 --heads 6
