#!/usr/bin/env bash
# Compresses a model, and shows what came out and what it cost.
#
#   scripts/demo.sh                 the bundled model, trained on the King James Bible: nothing to download
#   scripts/demo.sh smollm2         SmolLM2-135M-Instruct, fetched once (93 MB)
#
# Environment: MTCONV, the program (default: the release build); DEMO_OUT, the folder for results (default: .build/demo).
set -euo pipefail
cd "$(dirname "$0")/.."

mtconv=${MTCONV:-.build/release/mtconv}
out=${DEMO_OUT:-.build/demo}
bundled=Fixtures/models/kjv-1m

run() {
  echo
  # Words with spaces are shown in quotes, so that the line can be pasted.
  printf '$ mtconv'
  for word in "$@"; do
    case "$word" in *' '*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  echo
  "$mtconv" "$@"
}

case "${1:-bundled}" in
  bundled)
    model=$bundled
    result=$out/kjv-small
    dropped=4
    prompt="And God said, Let there be"
    options=(--context 256 --distill-tokens 200k --distill-batch 4 --distill-learning-rate 1e-3)
    remark="Healing and training (--distill-tokens) gave back most of what the cut took; FP8 costs next to nothing."
    ;;
  smollm2)
    model=$(scripts/fetch-smollm2.sh)
    result=$out/SmolLM2-small
    dropped=6
    prompt="The capital of France is"
    options=(--chunks 8 --heldout-chunks 4)
    remark="Its parent is stored in 4 bits a weight already, so fewer parameters in 8 and 16 bits are more bytes."
    ;;
  *)
    echo "usage: $0 [bundled | smollm2]" >&2
    exit 64
    ;;
esac

mkdir -p "$out"
run inspect "$model"
run compress "$model" "$result" --drop-layers "$dropped" --fp8 "${options[@]}" --force \
  --calibration "$bundled/calibration.txt" --heldout "$bundled/heldout.txt"
run logits "$model" --text "$prompt"
run logits "$result" --text "$prompt"
echo
echo "How it was made stands in $result/README.md and mtconv.json; mtconv replay makes it again."
echo
echo "The smaller model is in $result, a Hugging Face directory. $remark"
