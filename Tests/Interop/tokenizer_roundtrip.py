#!/usr/bin/env python3
"""Checks that two tokenizer.json files give the same ids and texts in Hugging Face `tokenizers`.

    tokenizer_roundtrip.py A/tokenizer.json B/tokenizer.json [TEXT_FILE…]

The texts are those of Fixtures/tokenizers/texts.json, and the lines and the whole of each TEXT_FILE. If both files have a
tokenizer_config.json beside them, both are also loaded by `transformers`, where the named special tokens must agree.
"""
import json
import pathlib
import sys

from tokenizers import Tokenizer


def main():
    paths = [pathlib.Path(p) for p in sys.argv[1:3]]
    texts = json.loads((pathlib.Path(__file__).parents[2] / "Fixtures/tokenizers/texts.json").read_text())
    for name in sys.argv[3:]:
        text = pathlib.Path(name).read_text()
        texts += text.splitlines(keepends=True) + [text]
    a, b = (Tokenizer.from_file(str(p)) for p in paths)
    for special_as_text in (False, True):
        a.encode_special_tokens = b.encode_special_tokens = special_as_text
        for text in texts:
            for added in (True, False):
                ids = a.encode(text, add_special_tokens=added).ids
                assert ids == b.encode(text, add_special_tokens=added).ids, text
                for skipped in (True, False):
                    assert a.decode(ids, skip_special_tokens=skipped) == b.decode(ids, skip_special_tokens=skipped), text
    if all((p.parent / "tokenizer_config.json").exists() for p in paths):
        from transformers import AutoTokenizer

        a, b = (AutoTokenizer.from_pretrained(p.parent) for p in paths)
        assert (a.bos_token_id, a.eos_token_id, a.pad_token_id) == (b.bos_token_id, b.eos_token_id, b.pad_token_id)
        assert all(a(t)["input_ids"] == b(t)["input_ids"] for t in texts)
    print(f"{len(texts)} texts: equal")


main()
