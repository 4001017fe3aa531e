#!/bin/sh
# A throw-away package that depends on a tagged clone of this one by version, beside a package whose targets are called Tokenizers
# and Safetensors. Versioned dependencies may not use unsafe flags, and target names must not meet: this shows both.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# A new place each time: SwiftPM remembers which commit a version of a package at a path was.
work=$(mktemp -d "${MTCONV_WORK:-${TMPDIR:-/tmp}}/consumer.XXXXXX")
trap 'rm -rf "$work"' EXIT

commit() {
  git -C "$1" -c user.name=mtconv -c user.email=mtconv@localhost -c commit.gpgsign=false commit --quiet --message "$2"
}

git clone --quiet "$root" "$work/mtconv"
git -C "$work/mtconv" tag --force 1.0.0 >/dev/null

neighbour=$work/neighbour
mkdir -p "$neighbour/Sources/Tokenizers" "$neighbour/Sources/Safetensors"
cat >"$neighbour/Package.swift" <<'SWIFT'
// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "neighbour",
  products: [.library(name: "Neighbour", targets: ["Tokenizers", "Safetensors"])],
  targets: [.target(name: "Tokenizers"), .target(name: "Safetensors")])
SWIFT
echo 'public struct Tokenizer { public init() {} }' >"$neighbour/Sources/Tokenizers/Tokenizer.swift"
echo 'public struct SafetensorsFile { public init() {} }' >"$neighbour/Sources/Safetensors/SafetensorsFile.swift"
git -C "$neighbour" init --quiet
git -C "$neighbour" add .
commit "$neighbour" "A package with plain names"
git -C "$neighbour" tag 1.0.0

consumer=$work/consumer
mkdir -p "$consumer/Sources/consumer"
cat >"$consumer/Package.swift" <<SWIFT
// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "consumer",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "file://$work/mtconv", exact: "1.0.0"),
    .package(url: "file://$neighbour", exact: "1.0.0"),
  ],
  targets: [
    .executableTarget(
      name: "consumer",
      dependencies: [
        .product(name: "SafetensorsFormat", package: "mtconv"),
        .product(name: "Neighbour", package: "neighbour"),
      ])
  ])
SWIFT
cat >"$consumer/Sources/consumer/main.swift" <<'SWIFT'
import Safetensors
import SafetensorsFormat
import Tokenizers

_ = Tokenizer()
_ = Safetensors.SafetensorsFile()
let file = try SafetensorsFormat.SafetensorsFile(path: CommandLine.arguments[1])
let bytes = file.tensors.reduce(0) { $0 + $1.range.count }
print(file.tensors.count, "tensors,", bytes, "bytes")
SWIFT

swift build --quiet --security-path "$work/security" --package-path "$consumer" || { echo "FAIL  the consumer does not build"; exit 1; }
figure=$("$consumer/.build/debug/consumer" "$root/Fixtures/models/llama-pico/model.safetensors")
if [ "$figure" = "29 tensors, 161664 bytes" ]; then verdict=pass; else verdict=FAIL; fi
echo "$verdict  a consumer by version, beside targets Tokenizers and Safetensors, reads a file: $figure"
[ "$verdict" = pass ]
