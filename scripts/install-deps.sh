#!/usr/bin/env bash
# Installs the system libraries that the build needs, and only those that are missing.
#
#   scripts/install-deps.sh
#
# Debian and Ubuntu: apt, with sudo unless root. Elsewhere it says what to install. Safe to run again; silent when nothing is missing.
set -euo pipefail

packages=(libopenblas-dev libzstd-dev pkg-config)

say() { echo "install-deps: $*" >&2; }

is_installed() {
  # pkgconf serves as pkg-config, a self-built library as a packaged one.
  case "$1" in
    pkg-config) command -v pkg-config >/dev/null ;;
    libopenblas-dev) command -v pkg-config >/dev/null && pkg-config --exists openblas ;;
    libzstd-dev) command -v pkg-config >/dev/null && pkg-config --exists libzstd ;;
  esac
}

list_missing() {
  missing=()
  for package in "${packages[@]}"; do is_installed "$package" || missing+=("$package"); done
}

install_with_apt() {
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "run as root: apt-get install ${missing[*]}"; exit 1; }
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
  local install=("${apt[@]}" install --yes --no-install-recommends "${missing[@]}")
  local log
  log=$(mktemp)
  say "installing ${missing[*]}"
  # The package lists are fetched only if what is known of them is not enough.
  if ! "${install[@]}" </dev/null >"$log" 2>&1; then
    say "refreshing the package lists"
    if ! { "${apt[@]}" update && "${install[@]}"; } </dev/null >"$log" 2>&1; then
      cat "$log" >&2
      rm -f "$log"
      say "could not install ${missing[*]}"
      exit 1
    fi
  fi
  rm -f "$log"
}

list_missing
[ "${#missing[@]}" -gt 0 ] || exit 0

if command -v apt-get >/dev/null; then
  install_with_apt
elif command -v brew >/dev/null; then
  say "missing; install with: brew install openblas zstd pkg-config"
  say "Homebrew keeps OpenBLAS apart: export PKG_CONFIG_PATH=\"\$(brew --prefix openblas)/lib/pkgconfig\""
  exit 1
else
  say "missing: OpenBLAS, zstd (both with headers) and pkg-config; install them with this system's package manager"
  exit 1
fi

list_missing
[ "${#missing[@]}" -eq 0 ] || { say "still missing: ${missing[*]}"; exit 1; }
say "done"
