"""Trains the small Llama of Fixtures/models/kjv-1m on the King James Bible.

The text comes out of Debian's package bible-kjv-text (public domain):

    apt-get download bible-kjv-text
    python train_tiny_llama.py --deb bible-kjv-text_4.38_all.deb

Writes heldout.txt, calibration.txt, the tokenizer, the model in BF16 and oracle.safetensors.
Needs half an hour or more on two cores. A second run gives a model of the same quality but not the
same bytes: the sums of a multi-threaded backward pass depend on the machine.
"""

import argparse
import hashlib
import io
import json
import math
import re
import subprocess
import tarfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SEED = 20260
VOCAB = 1024
CONTEXT = 256
BOS = "<|begin_of_text|>"
EOS = "<|end_of_text|>"
LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
DATA_SHA256 = "6c746c2acc8a34bfded980883ff1701a5d68934a1c853ebf88a07b978fe0ae0e"

BOOKS = (
    "Genesis|Exodus|Leviticus|Numbers|Deuteronomy|Joshua|Judges|Ruth|1 Samuel|2 Samuel|1 Kings|2 Kings|"
    "1 Chronicles|2 Chronicles|Ezra|Nehemiah|Esther|Job|Psalms|Proverbs|Ecclesiastes|Song of Solomon|Isaiah|"
    "Jeremiah|Lamentations|Ezekiel|Daniel|Hosea|Joel|Amos|Obadiah|Jonah|Micah|Nahum|Habakkuk|Zephaniah|Haggai|"
    "Zechariah|Malachi|Matthew|Mark|Luke|John|Acts|Romans|1 Corinthians|2 Corinthians|Galatians|Ephesians|"
    "Philippians|Colossians|1 Thessalonians|2 Thessalonians|1 Timothy|2 Timothy|Titus|Philemon|Hebrews|James|"
    "1 Peter|2 Peter|1 John|2 John|3 John|Jude|Revelation"
).split("|")
HELD_OUT_BOOKS = BOOKS[BOOKS.index("1 John") :]
# Every CALIBRATION_STEP-th chapter of the training books goes into calibration.txt.
CALIBRATION_STEP = 55


def read_books(deb: Path) -> dict[str, list[tuple[str, str]]]:
    """Book name -> its chapters as (heading, text)."""
    archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb)], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        data = tar.extractfile("./usr/lib/bible.data").read()
    assert hashlib.sha256(data).hexdigest() == DATA_SHA256, "another release of bible-kjv-text: check the text"
    # A small header, then one stream of compress(1), which gzip reads.
    stream = data[data.index(b"\x1f\x9d\x90") :]
    text = subprocess.run(["gzip", "-dc"], input=stream, check=True, capture_output=True).stdout.decode("ascii")

    verses = [re.fullmatch(r"([1-4]?[A-Za-z]+)(\d+):(\d+) (.+)", line) for line in text.splitlines()[1:]]
    assert len(verses) == 31102 and all(verses)
    abbreviations = list(dict.fromkeys(verse[1] for verse in verses))
    names = dict(zip(abbreviations, BOOKS, strict=True))
    chapters: dict[str, dict[int, list[str]]] = {}
    for abbreviation, chapter, number, words in (verse.groups() for verse in verses):
        chapters.setdefault(names[abbreviation], {}).setdefault(int(chapter), []).append(f"{number} {words}\n")
    return {
        book: [(f"{book} {n}", f"{book} {n}\n" + "".join(lines)) for n, lines in parts.items()]
        for book, parts in chapters.items()
    }


def make_tokenizer(texts: list[str]) -> Tokenizer:
    """Byte-level BPE in the shape of Llama 3's tokenizer.json."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB - 2,
        special_tokens=[],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([BOS, EOS])
    bos = tokenizer.token_to_id(BOS)
    assert (bos, tokenizer.token_to_id(EOS), tokenizer.get_vocab_size()) == (VOCAB - 2, VOCAB - 1, VOCAB)
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(add_prefix_space=True, trim_offsets=False, use_regex=True),
            processors.TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A {BOS}:1 $B:1", special_tokens=[(BOS, bos)]),
        ]
    )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, out: Path) -> None:
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        clean_up_tokenization_spaces=False,
        model_max_length=CONTEXT,
        model_input_names=["input_ids", "attention_mask"],
    )
    fast.save_pretrained(out)
    # transformers 5 names its own class here; the older name is understood by 4 and 5.
    path = out / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    path.write_text(json.dumps(settings, indent=2) + "\n")
    # transformers 5 no longer writes this file; checkpoints made with 4 have it.
    (out / "special_tokens_map.json").write_text(json.dumps({"bos_token": BOS, "eos_token": EOS}, indent=2) + "\n")


def make_config(layers: int = 12) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=layers,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        initializer_range=0.05,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        bos_token_id=VOCAB - 2,
        eos_token_id=VOCAB - 1,
        pad_token_id=None,
        use_cache=True,
    )


@torch.no_grad()
def held_out_loss(model: LlamaForCausalLM, tokens: torch.Tensor) -> tuple[float, float, int]:
    """Mean loss as llama-perplexity counts it, its standard error, and the number of scored tokens.

    Whole chunks of CONTEXT tokens; positions 128..254 of each predict 129..255.
    """
    model.eval()
    chunks = tokens[: len(tokens) // CONTEXT * CONTEXT].view(-1, CONTEXT)
    losses = []
    for batch in chunks.split(16):
        logits = model(input_ids=batch, use_cache=False).logits.float()
        first = CONTEXT // 2
        predicted, wanted = logits[:, first:-1].reshape(-1, VOCAB), batch[:, first + 1 :].reshape(-1)
        losses.append(F.cross_entropy(predicted, wanted, reduction="none"))
    model.train()
    losses = torch.cat(losses).double()
    return losses.mean().item(), losses.std().item() / math.sqrt(len(losses)), len(losses)


def ngram_perplexities(train: np.ndarray, held_out: np.ndarray) -> dict[str, float]:
    """Interpolated (Witten-Bell) token n-grams, scored on the same positions as the model."""
    train, held_out = train.tolist(), held_out.tolist()
    counts = [Counter(), Counter(), Counter()]
    contexts = [Counter(), Counter(), Counter()]
    kinds = [Counter(), Counter(), Counter()]
    for order in range(3):
        for i in range(order, len(train)):
            key = tuple(train[i - order : i + 1])
            if counts[order][key] == 0:
                kinds[order][key[:-1]] += 1
            counts[order][key] += 1
            contexts[order][key[:-1]] += 1

    def probability(key: tuple[int, ...]) -> float:
        lower = 1 / VOCAB if len(key) == 1 else probability(key[1:])
        order, context = len(key) - 1, key[:-1]
        total, distinct = contexts[order][context], kinds[order][context]
        return (counts[order][key] + distinct * lower) / (total + distinct) if total else lower

    result = {}
    for order, name in enumerate(["unigram", "bigram", "trigram"]):
        scored = [
            math.log(probability(tuple(held_out[i - order : i + 1])))
            for start in range(0, len(held_out) // CONTEXT * CONTEXT, CONTEXT)
            for i in range(start + CONTEXT // 2 + 1, start + CONTEXT)
        ]
        result[name] = math.exp(-sum(scored) / len(scored))
    return result


def train(model: LlamaForCausalLM, stream: np.ndarray, line_starts: np.ndarray, held_out: torch.Tensor, arguments) -> dict:
    """Returns the weights, as BF16 will hold them, of the step with the best held-out loss."""
    random = np.random.default_rng(SEED)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=arguments.rate, betas=(0.9, 0.95))
    warmup = 200

    def schedule(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        progress = (step - warmup) / (arguments.steps - warmup)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
    best, best_state, began, running = math.inf, None, time.time(), []
    line_starts = line_starts[line_starts < len(stream) - CONTEXT]
    model.train()
    for step in range(1, arguments.steps + 1):
        rows = []
        for _ in range(arguments.batch):
            if random.random() < 0.25:  # text after BOS, from the start of a line
                start = random.choice(line_starts)
                rows.append(np.concatenate([[VOCAB - 2], stream[start : start + CONTEXT - 1]]))
            else:
                start = random.integers(len(stream) - CONTEXT)
                rows.append(stream[start : start + CONTEXT])
        batch = torch.from_numpy(np.stack(rows).astype(np.int64))
        logits = model(input_ids=batch, use_cache=False).logits
        loss = F.cross_entropy(logits[:, :-1].reshape(-1, VOCAB), batch[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        running.append(loss.item())
        if step % arguments.evaluate == 0 or step == arguments.steps:
            held, _, _ = held_out_loss(model, held_out)
            mark = ""
            if held < best:
                best, mark = held, " *"
                best_state = {name: value.detach().clone() for name, value in model.state_dict().items()}
            print(
                f"step {step} train {np.mean(running):.4f} held-out {held:.4f} ppl {math.exp(held):.3f}"
                f" {time.time() - began:.0f} s{mark}",
                flush=True,
            )
            running = []
    return best_state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deb", type=Path, help="bible-kjv-text_4.38_all.deb; without it: measure the saved model")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "models" / "kjv-1m")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=8, help="contexts in a step")
    parser.add_argument("--rate", type=float, default=4e-3, help="highest learning rate")
    parser.add_argument("--evaluate", type=int, default=250, help="steps between held-out evaluations")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(SEED)
    out = arguments.out
    if arguments.deb is None:
        return report(out)
    out.mkdir(parents=True, exist_ok=True)

    books = read_books(arguments.deb)
    training = {book: "\n".join(text for _, text in parts) for book, parts in books.items() if book not in HELD_OUT_BOOKS}
    held_out_text = "\n".join(text for book in HELD_OUT_BOOKS for _, text in books[book])
    chapters = [text for book in training for _, text in books[book]]
    calibration_text = "\n".join(chapters[CALIBRATION_STEP // 2 :: CALIBRATION_STEP])
    (out / "heldout.txt").write_text(held_out_text)
    (out / "calibration.txt").write_text(calibration_text)

    tokenizer = make_tokenizer(list(training.values()))
    save_tokenizer(tokenizer, out)
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    stream = np.array([i for text in training.values() for i in [VOCAB - 2, *encode(text), VOCAB - 1]], dtype=np.int32)
    ends_line = np.array([tokenizer.decode([i]).endswith("\n") for i in range(VOCAB)])
    line_starts = np.flatnonzero(ends_line[stream]) + 1
    held_out = torch.tensor(encode(held_out_text))
    print(f"{len(stream)} training tokens, {len(held_out)} held-out tokens, calibration {len(calibration_text)} bytes")
    print("n-grams:", {name: round(value, 2) for name, value in ngram_perplexities(stream, held_out.numpy()).items()})

    model = LlamaForCausalLM._from_config(make_config(), attn_implementation="sdpa")
    with torch.no_grad():  # each block begins as a small change of its input
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.mul_((2 * len(model.model.layers)) ** -0.5)
            layer.mlp.down_proj.weight.mul_((2 * len(model.model.layers)) ** -0.5)
    print(f"{sum(p.numel() for p in model.parameters())} parameters")
    model.load_state_dict(train(model, stream, line_starts, held_out, arguments))
    model.to(torch.bfloat16).save_pretrained(out)

    report(out)


def report(out: Path) -> None:
    """Reloads the directory, prints what the README records, and writes the oracle."""
    model = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(out)
    held_out_text = (out / "heldout.txt").read_text()
    assert tokenizer(held_out_text, add_special_tokens=False).input_ids == Tokenizer.from_file(
        str(out / "tokenizer.json")
    ).encode(held_out_text, add_special_tokens=False).ids
    held_out = torch.tensor(tokenizer(held_out_text, add_special_tokens=False).input_ids)
    loss, error, scored = held_out_loss(model, held_out)
    model.eval()
    print(
        f"saved model: held-out perplexity {math.exp(loss):.6f} +/- {math.exp(loss) * error:.4f}"
        f" (loss {loss:.8f}, {scored} scored tokens, {len(held_out)} tokens)"
    )

    tokens = torch.tensor([tokenizer(held_out_text[:2000]).input_ids[:64]])
    assert tokens[0, 0] == VOCAB - 2 and tokens.shape == (1, 64)
    oracle, hooks = {"tokens": tokens}, []
    for index, layer in enumerate(model.model.layers):
        hooks.append(
            layer.register_forward_hook(
                lambda _, __, output, key=f"model.layers.{index}:output": oracle.__setitem__(
                    key, (output[0] if isinstance(output, tuple) else output)[0].contiguous()
                )
            )
        )
    with torch.no_grad():
        oracle["logits"] = model(input_ids=tokens, use_cache=False).logits[0].contiguous()
        for hook in hooks:
            hook.remove()
        greedy = model.generate(tokens[:, :24], max_new_tokens=40, do_sample=False)
    assert all(len(value) == 64 for key, value in oracle.items() if key != "tokens")
    save_file(oracle, out / "oracle.safetensors")
    for path in out.iterdir():
        path.chmod(0o644)
    print("greedy:", repr(tokenizer.decode(greedy[0])))


if __name__ == "__main__":
    main()
