#!/bin/sh
# What pruning alone costs: depth (scattered and contiguous) and width cuts of one model, a line each, as in Docs/Pruning.md.
#
#   Tests/Interop/pruning_table.sh MODEL CALIBRATION.txt HELDOUT.txt [--drop-layers 6 [--contiguous] | --ffn 1152 | ...]
#
# Without options of `mtconv plan` it runs the cuts of the table, which are for SmolLM2-135M. MTCONV names the binary.
set -eu

[ $# -ge 3 ] || { echo "usage: $0 MODEL CALIBRATION HELDOUT [PLAN OPTIONS]" >&2; exit 64; }
model=$1 calibration=$2 heldout=$3
shift 3
mtconv=${MTCONV:-.build/release/mtconv}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$mtconv" calibrate "$model" --text "$calibration" --chunks 32 -o "$work/stats.safetensors" --quiet > /dev/null

cut() {
  "$mtconv" plan "$model" --stats "$work/stats.safetensors" -o "$work/plan.json" --force --quiet "$@" |
    awk -v what="$*" '/^parameters/ { printf "%s: parameters × %s, ", what, $NF }'
  "$mtconv" compress "$model" "$work/out" --force --plan "$work/plan.json" --heldout "$heldout" --heldout-chunks 8 --quiet |
    sed -n 's/^quality *//p'
}

if [ $# -gt 0 ]; then
  cut "$@"
else
  for layers in 3 6 10; do
    cut --drop-layers "$layers"
    cut --drop-layers "$layers" --contiguous
  done
  cut --ffn 1152
  cut --ffn 768
  cut --heads 6
  cut --hidden 432
fi
