#!/usr/bin/env python3
"""Writes Sources/ModelTokenizers/Unicode/CanonicalCompositionData.swift.

The data is read off the NFC and NFD of Hugging Face `tokenizers` (0.23.3), so that it has the Unicode version which
that library normalizes with. Hangul syllables are left out: they compose by arithmetic.
"""
import pathlib
import textwrap

from tokenizers import normalizers

nfc = normalizers.NFC().normalize_str
nfd = normalizers.NFD().normalize_str
entries = []
for value in range(0xC0, 0x110000):
    if 0xAC00 <= value < 0xD7A4 or 0xD800 <= value < 0xE000:
        continue
    character = chr(value)
    parts = nfd(character)
    if parts == character:
        continue
    if nfc(character) != character:
        entries.append((value, ">", parts))
        continue
    # The pair is what all but the last part compose to, and the last part.
    first, second = nfc(parts[:-1]), parts[-1]
    assert len(first) == 1 and nfc(first + second) == character, hex(value)
    entries.append((value, "=", first + second))

text = " ".join(f"{value:X}{kind}" + "+".join(f"{ord(c):X}" for c in parts) for value, kind, parts in entries)
lines = textwrap.wrap(text, 116, break_long_words=False, break_on_hyphens=False)
body = "\n".join("    " + line for line in lines)
target = pathlib.Path(__file__).parents[2] / "Sources/ModelTokenizers/Unicode/CanonicalCompositionData.swift"
target.write_text(
    "// Written by Fixtures/generate/canonical_composition.py.\n\n"
    "/// Canonical decompositions: `c=a+b` composes again, `c>a+b…` does not.\n"
    "enum CanonicalCompositionData {\n"
    '  static let text = """\n' + body + '\n    """\n}\n'
)
print(len(entries), "entries,", len(lines), "lines")
