#!/usr/bin/env bash
# Checks the documentation against what is there.
#
#   scripts/check-docs.sh [MTCONV]
#
# Every relative link in a Markdown file must lead to a file. Every `mtconv` and `make` command in a block of shell must be one that
# exists: the subcommand, its options and the make target. MTCONV is the program, by default the release build.
set -euo pipefail
cd "$(dirname "$0")/.."

mtconv=${1:-.build/release/mtconv}
[ -x "$mtconv" ] || { echo "check-docs: no program at $mtconv; run make build" >&2; exit 2; }

failures=0
fail() {
  echo "$1: $2" >&2
  failures=$((failures + 1))
}

pages=()
while IFS= read -r page; do pages+=("${page#./}"); done < <(
  find . \( -name '.?*' -o -name venv \) -prune -o -name '*.md' -print | LC_ALL=C sort)

# Prints "LINE<tab>TARGET" for each link outside fences.
links() {
  awk '/^ *```/ { fenced = !fenced; next }
    !fenced {
      gsub(/`[^`]*`/, "")
      while (match($0, /\]\([^)]+\)/)) {
        print NR "\t" substr($0, RSTART + 2, RLENGTH - 3)
        $0 = substr($0, RSTART + RLENGTH)
      }
    }' "$1"
}

# Prints "LINE<tab>COMMAND" for each command in a block of shell, continued lines joined, comments removed.
commands() {
  awk '/^ *```/ { shell = !fenced && /^ *```(sh|bash|console)/; fenced = !fenced; text = ""; next }
    !shell { next }
    { if (text == "") first = NR
      sub(/^ *(\$ )?/, ""); text = text $0 }
    /\\$/ { sub(/\\$/, " ", text); next }
    { sub(/(^| )# .*/, "", text); if (text ~ /^(mtconv|make) /) print first "\t" text; text = "" }' "$1"
}

# The long and short options of a subcommand, with spaces around each.
options_of() {
  printf ' %s ' "$("$mtconv" $1 --help-hidden | grep -oE -- '(^|[ /,])--?[a-zA-Z][a-z0-9-]*' | tr -d ' ,/' | tr '\n' ' ')"
}

subcommands=" $("$mtconv" --help | awk '/^SUBCOMMANDS:/ { inside = 1; next } inside && /^  [a-z]/ { print $1 }' | tr '\n' ' ') "
targets=" $(awk -F: '/^[a-z][a-z0-9-]*:/ { print $1 }' Makefile | tr '\n' ' ') "

check_mtconv() {
  local place=$1 word known subcommand=
  shift
  for word in "$@"; do
    case "$word" in
      '|' | '>' | '2>' | '&&' | ';') break ;;
      -*)
        word=${word%%=*}
        known=known_$subcommand
        [ -n "${!known:-}" ] || printf -v "$known" '%s' "$(options_of "$subcommand")"
        [[ "$word" =~ ^-[0-9] || "${!known} --help-hidden --generate-completion-script " == *" $word "* ]] ||
          fail "$place" "mtconv $subcommand has no option '$word'"
        ;;
      *)
        if [ -z "$subcommand" ]; then
          [[ "$subcommands help " == *" $word "* ]] || { fail "$place" "mtconv has no subcommand '$word'"; return; }
          subcommand=$word
        fi
        ;;
    esac
  done
}

for page in "${pages[@]}"; do
  while IFS=$'\t' read -r line target; do
    case "$target" in
      *://* | mailto:* | '#'*) continue ;;
    esac
    [ -e "$(dirname "$page")/${target%%#*}" ] || fail "$page:$line" "dead link: $target"
  done < <(links "$page")
  while IFS=$'\t' read -r line text; do
    # Quoted words become one word without spaces.
    read -ra words < <(sed -E "s/\"[^\"]*\"|'[^']*'/TEXT/g" <<<"$text")
    if [ "${words[0]}" = make ]; then
      for word in "${words[@]:1}"; do
        [[ "$word" == *=* || "$targets" == *" $word "* ]] || fail "$page:$line" "make has no target '$word'"
      done
    else
      check_mtconv "$page:$line" "${words[@]:1}"
    fi
  done < <(commands "$page")
done

[ "$failures" -eq 0 ] || { echo "check-docs: $failures faults" >&2; exit 1; }
echo "${#pages[@]} pages: links and commands are good"
