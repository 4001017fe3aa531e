#!/bin/sh
# Runs the real peers (transformers, compressed-tensors, llama.cpp, gguf, SwiftPM) against what mtconv writes.
#
#   Tests/Interop/run.sh [case…]     default: every case
#
#   MTCONV        the binary (default: .build/release/mtconv)
#   PYTHON        a Python with Tests/Interop/requirements.txt installed (default: python3)
#   MTCONV_CACHE  where the downloaded model stays (default: ~/.cache/mtconv)
#   MTCONV_TEXT   a text file to measure on (default: a text of the fixtures)
#   MTCONV_WORK   a scratch folder that is kept (default: a new one, removed at the end)
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export MTCONV="${MTCONV:-$root/.build/release/mtconv}"
export PYTHON="${PYTHON:-python3}"
export MTCONV_CACHE="${MTCONV_CACHE:-$HOME/.cache/mtconv}"
export PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
cases="gguf_to_hf hf_to_gguf round_trip pico_llama_cpp perplexity prune_depth prune calibrate fp8 fp8_dialects fp8_emulation memory layouts interrupt consumer"

[ -x "$MTCONV" ] || { echo "no mtconv at '$MTCONV'; build it or set MTCONV" >&2; exit 2; }
"$PYTHON" -c 'import gguf, llama_cpp, torch, transformers' || {
  echo "install the peers: $PYTHON -m pip install -r $here/requirements.txt" >&2
  exit 2
}
"$root/scripts/fetch-smollm2.sh" >/dev/null || exit 2
if [ -z "${MTCONV_WORK:-}" ]; then
  MTCONV_WORK=$(mktemp -d "${TMPDIR:-/tmp}/mtconv-interop.XXXXXX")
  trap 'rm -rf "$MTCONV_WORK"' EXIT
  trap 'exit 130' INT TERM
fi
export MTCONV_WORK
mkdir -p "$MTCONV_WORK"

failed=""
for case in ${@:-$cases}; do
  echo "== $case"
  if [ -f "$here/$case.sh" ]; then sh "$here/$case.sh"; else "$PYTHON" "$here/$case.py"; fi || failed="$failed $case"
done
if [ -n "$failed" ]; then echo "FAILED:$failed"; exit 1; fi
echo "all cases pass"
