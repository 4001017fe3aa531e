#!/usr/bin/env python3
"""Makes questions out of a plain text: which of four endings belongs to a sentence?

    python continuations.py TEXT.txt -o questions.jsonl [--count 200] [--near 0] [--seed 1]
    mtconv eval model/ --task hellaswag --data questions.jsonl

A question is some 30 to 50 words that stop inside a sentence, behind a comma, semicolon or colon, and four endings of 10 to 25 words and
about the same number of letters: the rest of the sentence, and the rests of three others, which begin with the same word where there
are such. The fields are those of HellaSwag (`ctx_b` is empty), so `mtconv eval` and lm-eval read the file. The same text, options and
seed give the same bytes.

What it is: a task on any text, scored as HellaSwag is, for comparing models with each other; chance is 25 %.

What it is not: HellaSwag. Its endings are written by a machine and chosen to mislead; these are true sentences from elsewhere and differ
from the right one in what they are about more than in sense, and one of them may happen to fit. Nothing here compares with a published
score. With `--near N` wrong endings come from at most N sentences away and share subject and style with the right one: that is harder.

Paragraphs are separated by empty lines. What ends without a full stop (headings, code, tables) is no sentence; sentences with brackets
are left out, because the task removes them.
"""

import argparse
import json
import random
import re
from pathlib import Path

CONTEXT = (30, 50)
ENDING = (10, 25)
HEAD = 4
SENTENCE_END = re.compile(r"""(?<=[.!?])\s+(?=["'“‘(]?[A-Z])""")
WHOLE = re.compile(r"""^["'“‘(]?[A-Z].*[.!?]["'”’)]?$""")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|cf|vs|p|pp|vol|ed|op|cit|mr|mrs|dr|st|no|[A-Z])\.$", re.IGNORECASE)
CLAUSE = re.compile(r"(?<=[a-z][,;:])\s+(?=[a-z])")


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph; what stands behind an abbreviation is put back."""
    found: list[str] = []
    for part in SENTENCE_END.split(" ".join(paragraph.split())):
        if found and ABBREVIATION.search(found[-1]):
            found[-1] += " " + part
        else:
            found.append(part)
    return found


def words(text: str) -> int:
    return len(text.split())


def is_usable(sentence: str) -> bool:
    return bool(WHOLE.match(sentence)) and not re.search(r"[\[\]{}|<>_]", sentence)


def halves(sentence: str) -> tuple[str, str] | None:
    """A sentence in two at its first clause that leaves enough on both sides."""
    if not is_usable(sentence):
        return None
    for gap in CLAUSE.finditer(sentence):
        head, rest = sentence[: gap.start()], sentence[gap.end() :]
        if words(head) >= HEAD and ENDING[0] <= words(rest) <= ENDING[1]:
            return head, rest
    return None


def context(document: list[tuple[int, str]], place: int, head: str) -> str | None:
    """What precedes an ending in its paragraph, from the beginning of a sentence on; nothing if that is too short or too long."""
    while words(head) < CONTEXT[0]:
        place -= 1
        if place < 0 or document[place][0] != document[place + 1][0] or not is_usable(document[place][1]):
            return None
        head = document[place][1] + " " + head
    return head if words(head) <= CONTEXT[1] else None


def wrong_endings(right: str, rests: list[tuple[int, str]], place: int, near: int, chance: random.Random) -> list[str]:
    """Three rests of other sentences, those that begin as the right one does first."""
    others = [
        rest for other, rest in rests
        if (0 < abs(other - place) <= near if near else abs(other - place) > 10)
        and abs(len(rest) - len(right)) <= 0.25 * len(right) and rest != right
    ]
    others = list(dict.fromkeys(others))
    chance.shuffle(others)
    others.sort(key=lambda rest: rest.split()[0] != right.split()[0])
    return others[:3]


def questions(text: str, count: int, near: int, seed: int) -> list[dict]:
    chance = random.Random(seed)
    paragraphs = re.split(r"\n\s*\n", text)
    document = [(number, sentence) for number, paragraph in enumerate(paragraphs) for sentence in sentences(paragraph)]
    split = {place: both for place, (_, sentence) in enumerate(document) if (both := halves(sentence))}
    rests = [(place, rest) for place, (_, rest) in split.items()]
    found = []
    for place, (head, right) in split.items():
        start, endings = context(document, place, head), wrong_endings(right, rests, place, near, chance)
        if start is None or len(endings) < 3:
            continue
        label = chance.randrange(4)
        endings.insert(label, right)
        found.append({
            "activity_label": "Text", "ctx_a": start, "ctx_b": "", "ctx": start, "endings": endings, "label": str(label),
            "split": "val", "split_type": "indomain"})
    chosen = sorted(chance.sample(range(len(found)), min(count, len(found))))
    return [{"ind": number, **found[index]} for number, index in enumerate(chosen)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path, help="a plain text in UTF-8")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the JSON lines to write")
    parser.add_argument("--count", type=int, default=200, help="questions at most (default: 200)")
    parser.add_argument("--near", type=int, default=0, help="how many sentences away wrong endings may be (default: anywhere)")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of questions and endings (default: 1)")
    options = parser.parse_args()
    found = questions(options.text.read_text(encoding="utf-8"), options.count, options.near, options.seed)
    if not found:
        parser.error(f"'{options.text}' has no sentence that can be cut, with enough others beside it")
    options.output.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found), encoding="utf-8")
    print(f"{len(found)} questions in {options.output}")


if __name__ == "__main__":
    main()
