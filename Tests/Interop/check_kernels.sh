#!/bin/sh
# Checks that a release build really holds the AVX2 and AVX-512 variants of the kernels.
#
#   Tests/Interop/check_kernels.sh .build/release/mtconv
#
# The argument is an executable, a library or an object file with symbols. Every kernel that the headers of Sources/CTensorKernels
# declare must be there as *_v3 with ymm registers and as *_v4 with zmm registers, and must call nothing but memcpy: a variant that is
# a lone jump, or that calls its parts, is compiled for SSE2 after all. Such a kernel is slow and still right, so no other test sees it.
# The kernels of sha256.h must be there with the processor's own instructions, for one chain and for two.
# Elsewhere than on x86-64 there is nothing to check.
set -eu

if [ $# -ne 1 ] || [ ! -f "$1" ]; then
  echo "usage: $0 BINARY" >&2
  exit 64
fi
case "$(uname -m)" in
  x86_64 | amd64) ;;
  *) echo "no instruction levels to check on $(uname -m)"; exit 0 ;;
esac

headers="$(dirname "$0")/../../Sources/CTensorKernels"
kernels=$(sed -n 's/^MTCONV_[A-Z_]*KERNEL(\(mtconv_[a-z0-9_]*\)).*/\1/p' "$headers"/*.h)
[ -n "$kernels" ] || { echo "no kernels declared in $headers" >&2; exit 2; }

# The toolchain's disassembler, or the one of binutils.
objdump=
if command -v swift >/dev/null; then
  objdump="$(dirname "$(readlink -f "$(command -v swift)")")/llvm-objdump"
fi
for candidate in "$objdump" llvm-objdump objdump; do
  if [ -n "$candidate" ] && command -v "$candidate" >/dev/null; then objdump=$candidate; break; fi
  objdump=
done
[ -n "$objdump" ] || { echo "neither llvm-objdump nor objdump is installed" >&2; exit 2; }

listing=$(mktemp)
trap 'rm -f "$listing"' EXIT
"$objdump" -d --no-show-raw-insn "$1" > "$listing"

# One line a variant: name, instructions, those with ymm, those with zmm, calls to anything but memcpy.
awk -v wanted="$kernels" '
  BEGIN {
    count = split(wanted, names, /[ \n]+/)
    for (i = 1; i <= count; i++) { expected[names[i] "_v3"]; expected[names[i] "_v4"] }
  }
  # Mach-O symbols start with an underscore.
  /^[0-9a-f]+ <.*>:$/ {
    name = $2; gsub(/^<_?|>:$/, "", name)
    inside = name in expected
    if (inside) seen[name] = 1
    next
  }
  inside && NF > 1 {
    instructions[name]++
    if (/%?ymm[0-9]/) ymm[name]++
    if (/%?zmm[0-9]/) zmm[name]++
    if (/[ \t]call/ && !/memcpy/) calls[name]++
  }
  END {
    for (i = 1; i <= count; i++) for (level = 3; level <= 4; level++) {
      name = names[i] "_v" level
      fault = ""
      if (!(name in seen)) fault = "is not in the binary"
      else if (instructions[name] < 16) fault = "has only " instructions[name] " instructions: it jumps to the baseline"
      else if (calls[name] > 0) fault = "has " calls[name] " calls: a part of it is not inlined"
      else if (level == 3 && ymm[name] == 0) fault = "uses no ymm register"
      else if (level == 4 && zmm[name] == 0) fault = "uses no zmm register"
      if (fault != "") { print "kernel " name " " fault > "/dev/stderr"; failed = 1 }
    }
    if (failed) exit 1
    print count " kernels, each with AVX2 and AVX-512"
  }
' "$listing"

# In the second, a round of one chain stands between two of the other.
for kernel in mtconv_sha256_compress mtconv_sha256_compress_both; do
  rounds=$(awk -v name="$kernel" '
    /^[0-9a-f]+ <.*>:$/ { label = $2; gsub(/^<_?|>:$/, "", label); inside = label == name; next }
    inside && /sha256rnds2/ { count++ }
    END { print count + 0 }' "$listing")
  case "$kernel" in *_both) expected=16 ;; *) expected=8 ;; esac
  if [ "$rounds" -lt "$expected" ]; then
    echo "kernel $kernel has $rounds of at least $expected instructions sha256rnds2" >&2
    exit 1
  fi
done
echo "SHA-256 with instructions of its own"
