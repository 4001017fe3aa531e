#!/usr/bin/env python3
"""Trains the tokenizers of Fixtures/tokenizers and writes what Hugging Face `tokenizers` makes of difficult texts.

    python Fixtures/generate/tokenizer_fixtures.py  (tokenizers 0.23.3)

For each pattern (gpt2, smollm, llama3, qwen2) a folder with tokenizer.json, tokenizer_config.json and expected.json:
the ids with and without special tokens around the text, with special tokens in the text read as text, and what they
decode to (null where that is the text itself, or the same as elsewhere). texts.json holds the texts, the last of them
random. nfc.json holds random sequences of scalars and their normalization form C.
"""
import json
import pathlib
import random
import unicodedata

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).parents[1] / "tokenizers"
MODERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# Our own prose, to train on: no text of anybody else's is stored here.
CORPUS = """
A tokenizer cuts text into words, spells every word in bytes, and joins the bytes that often stand side by side.
It's a small machine, and we've built it so that it doesn't lose anything: whatever goes in comes out again.
Numbers like 7, 42, 365 and 1,000,000 are split, because the model should not learn 12345 by heart; 3.14159 is a word
of several parts. They'll see that I'm right, she'd say; you're wrong, he'd answer, and they'd both be satisfied.
for index in range(100):
    if values[index] > limit:
        print("too large", index, values[index])
	elif values[index] == 0:
		return None

Größe, Übung, façade, naïve, coöperate, Ångström, crème brûlée; Привет, мир! Как дела? Γειά σου Κόσμε. 你好，世界。
こんにちは世界。안녕하세요 세계. مرحبا بالعالم. שלום עולם. สวัสดีชาวโลก नमस्ते दुनिया 👍 🎉 ❤️
THE NAME OF THE ROSE AND THE WIND IN THE WILLOWS. Don't, DON'T, won't, WON'T; it's, IT'S; we're, WE'RE; I'll, I'LL.
the of and to in that it is was for on are as with his they at be this from have or by one had not but what all were
"""

TEXTS = [
    "", " ", "  ", "   ", "\n", "\r\n", "\n\n\n", "\t", " \n \n ", "a", " a", "a ", "  a  ", "Hello, world!",
    "It's we're they've I'm you'll he'd don't", "IT'S WE'RE THEY'VE I'M YOU'LL HE'D DON'T", "It'S we'Re wE'rE tHey'lL",
    "'s 't 're 've 'm 'll 'd", "' s 'x ''s 'sam 'really 'lot 'l 'r 'v '", "it\u2019s we\u2019re", "it'\u017F '\u017Fx '\u212A 'S",
    "1 12 123 1234 12345 1234567890", "a1b22c333d4444", "3.14159 1,000,000 -5 +7 10% $20", "  42  ", "x = 0x1F; y = 1e-05",
    "\u00b2 \u00bd \u2167 \u2460 x\u00b2 10\u00bd\u2167\u0663\u0664\u0665\u0666 \u0967\u0968\u0969\u096a \u4e00\u4e8c \U0001d7ce\U0001d7cf",
    "tab\tseparated\t\tvalues\n\tindented\n\t\tmore", "line one\nline two\r\nline three\rline four\n\nline six",
    "trailing spaces   \nand   inner   spaces   ", " leading", "   leading three", "mixed \t \n \t text", "end with newline\n", "end\n  ",
    "a\u00a0b \u00a0 c\u00a0\u00a0d", "thin\u2009space\u200a\u202fnarrow\u3000wide\u1680ogham", "\u2028line\u2028separator \u2029paragraph\u2029",
    "zero\u200bwidth\u200cjoin\u200ders\ufeffbom", "\x00\x01\x02 \x07\x08\x1b[0m \x7f\x80\x85\x9f", "a\x0bb\x0cc\x1cd\x1ee\x1ff", "\ufffd\ufffe\U0010ffff\ue000",
    "caf\u00e9 cafe\u0301 \u00c5 A\u030a \u212b \u1e69 s\u0323\u0307 s\u0307\u0323", "a\u0301\u0302\u0303\u0304 o\u0328\u0304 \u0344 \u0374 \u037e \u0387 \u2126 \u212a",
    "\uac00 \u1100\u1161 \u1100\u1161\u11a8 \uac00\u11a8 \ud55c\uad6d\uc5b4 \u1112\u1161\u11ab", "\u0958 \u0915\u093c \ufb2c \u05e9\u05bc\u05c1 \u0f43 \u2adc \U0001d15e \uf900 \U0002f800",
    "\u09c7\u09be \u0dd9\u0dcf\u0dca \u1025\u102e \U00011131\U00011127 \u0bc6\u0bbe", "\u0301start with a mark \u0301 and \u200d\u0301",
    "\U0001f44d \U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1e9\U0001f1ea \u2764\ufe0f 1\ufe0f\u20e3", "a\U0001f600b \U0001f600\U0001f600 !\U0001f600",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u4eca\u5929\u662f2024\u5e741\u67081\u65e5\u3002", "\u3053\u3093\u306b\u3061\u306f \u30ab\u30bf\u30ab\u30ca\u3000\u6f22\u5b57", "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 \u0661\u0662\u0663 \u0644\u064e\u0627", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd \u05e2\u05d5\u05dc\u05dd", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01 \u0e17\u0e35\u0e48\u0e19\u0e35\u0e48", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5 \u01c5\u01c8 \u02b0\u02e0", "\u00df\u1e9e \u0130\u0131 \ufb01\ufb02 \ufb06 '\ufb06",
    "def f(x):\n    return x**2  # square\n\n\nclass A:\n\tpass\n", "if (a<b && c>=d) { x[i]++; } /* !!! */ // ...", "https://example.org/path?query=1&other=%20#top", "<div class=\"x\">&nbsp;</div>", "{\"key\": [1, 2.5, null]}",
    "...!!!???---===", "!\n\n!", "! \n!", "!!\r\n\r\n  x", " !\n", " \n!", "word\n\n\n  word", "\n \n  \n   \nword", "a \r b \r\n c", " \u00a0\n\u00a0 x",
    "<|endoftext|>", "<|bos|>text<|eot|>", "a <|endoftext|> b", "<|endoftext|><|endoftext|>", "<|endoftext", "<|end<|endoftext|>oftext|>", "\u00e9<|eot|>\u0301", "x<|bos|>\u0301",
    "[tool] and[tool]s [tool", "word wordy myword word! (word) \u00e9word word\u0301 word_ word-", "strip   <mask>   both  <mask>\n<mask>x", "left   <left>   x", "right   <right>   x<right> <mask>", "two  newlines ok",
    "na\u00efvete\u0301 nai\u0308ve\u0301te nai\u0308vete\u0301", "longest<lo<long<longer>long>", "aaaa" * 40, "ab" * 100, "the" * 50, "supercalifragilisticexpialidocious" * 4, "\u00e9" * 60, " " * 70 + "x", "\n" * 60, "!" * 75, "1" * 50,
    "the quick brown fox jumps over the lazy dog " * 12, CORPUS,
]


def random_text(source, count):
    """Scalars assigned in Unicode 12 or before, weighted to those that the patterns care about."""
    pools = [
        "abcdefghij STRVEMLD", "0123456789", " \t\n\r", "'!.,-_<|>[]()", "\u00a0\u2003\u2028\u3000\u0085", "\u0301\u0323\u0307\u093c\u05c1\u3099",
        "\u00e9\u00c5\u00f1\u1e69\uac00\u1100\u1161\u11a8", "\u00b2\u2167\u0663\u0967", "\u4e2d\u6587\u3042\u30ab", "\U0001f600\U0001f468\u200d\ufe0f",
    ]
    result = []
    while len(result) < count:
        if source.random() < 0.9:
            result.append(source.choice(source.choice(pools)))
            continue
        character = chr(source.randrange(0x10FFFF) if source.random() < 0.3 else source.randrange(0xFFFF))
        if unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Cs"):
            result.append(character)
    return "".join(result)


def random_normalizations(source):
    """Pairs of a text and its form C: starters that compose, marks of all classes, Hangul jamo, excluded composites."""
    starters = [chr(c) for c in range(0x41, 0x3100) if unicodedata.normalize("NFD", chr(c)) != chr(c)] + list("aAeoUu\u0915\u09c7\u0dd9")
    marks = [chr(c) for c in range(0x300, 0x1E000) if unicodedata.ucd_3_2_0.combining(chr(c))]
    hangul = list("\uac00\ud788\u1100\u1112\u1161\u1175\u11a7\u11a8\u11c2")
    pairs = []
    for _ in range(600):
        text = "".join(source.choice(source.choice([starters, marks, marks, hangul])) for _ in range(8))
        pairs.append([text, normalizers.NFC().normalize_str(text)])
    return pairs


def special(content, **flags):
    return AddedToken(content, special=True, normalized=False, **flags)


# Added tokens that are in every tokenizer besides its own special ones.
ADDED = [
    AddedToken("[tool]", normalized=False), AddedToken("word", single_word=True, normalized=False),
    special("<mask>", lstrip=True, rstrip=True), special("<left>", lstrip=True), AddedToken("<right>", rstrip=True, normalized=True),
    AddedToken("nai\u0308vete\u0301", normalized=True), AddedToken("\u00e9t", normalized=False),
    AddedToken("<long", normalized=False), AddedToken("<longer>", normalized=False), AddedToken("  newlines", normalized=False),
]


def build(name):
    modern = name in ("llama3", "qwen2")
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not modern)
    if modern:
        digits = r"\p{N}{1,3}" if name == "llama3" else r"\p{N}"
        split = pre_tokenizers.Split(Regex(MODERN.replace("DIGITS", digits)), "isolated")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    elif name == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    else:
        tokenizer.pre_tokenizer = byte_level
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    # smollm: special tokens come first and are in the vocabulary; elsewhere they follow it.
    first = [special("<|endoftext|>"), special("<|bos|>"), special("<|eot|>")]
    trainer = trainers.BpeTrainer(
        vocab_size=520, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=first if name == "smollm" else [])
    tokenizer.train_from_iterator(CORPUS.splitlines(keepends=True) * 3, trainer)
    if name != "smollm":
        tokenizer.add_special_tokens(first)
    tokenizer.add_tokens(ADDED)
    state = json.loads(tokenizer.to_str())
    config = {"bos_token": "<|bos|>", "eos_token": "<|endoftext|>", "clean_up_tokenization_spaces": False,
              "model_max_length": 2048, "tokenizer_class": "PreTrainedTokenizerFast"}
    if name == "llama3":
        # A token that no merges lead to: only ignore_merges finds it.
        state["model"]["merges"] = [m for m in state["model"]["merges"] if "".join(m) not in ("Ġand", "Ġthat")]
        bos = next(t for t in state["added_tokens"] if t["content"] == "<|bos|>")
        state["post_processor"] = {"type": "Sequence", "processors": [state["post_processor"], {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|bos|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "<|bos|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                     {"SpecialToken": {"id": "<|bos|>", "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|bos|>": {"id": "<|bos|>", "ids": [bos["id"]], "tokens": ["<|bos|>"]}}}]}
        config["chat_template"] = "{% for m in messages %}{{ m['content'] }}<|eot|>{% endfor %}"
    if name == "smollm":
        # A vocabulary that cannot spell every byte: the rare ones vanish.
        for byte in "ĀÀ":
            del state["model"]["vocab"][byte]
        order = sorted(state["model"]["vocab"], key=state["model"]["vocab"].get)
        state["model"]["vocab"] = {token: index for index, token in enumerate(order)}
        for index, token in enumerate(t for t in state["added_tokens"] if t["content"] not in state["model"]["vocab"]):
            token["id"] = len(order) + index
        config["add_bos_token"] = False
    if name == "qwen2":
        config["pad_token"] = {"__type": "AddedToken", "content": "<|endoftext|>", "lstrip": False, "normalized": False,
                               "rstrip": False, "single_word": False, "special": True}
        config["unk_token"] = None
    folder = ROOT / name
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "tokenizer.json", state)
    write(folder / "tokenizer_config.json", config)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    source = random.Random(20240229)
    texts = TEXTS + [random_text(source, 60 + 40 * (i % 3)) for i in range(60)]
    ROOT.mkdir(exist_ok=True)
    # ASCII, so that no editor or checkout normalizes them.
    (ROOT / "texts.json").write_text(json.dumps(texts, indent=0) + "\n")
    (ROOT / "nfc.json").write_text(json.dumps(random_normalizations(random.Random(7)), separators=(",", ":")) + "\n")
    for name in ("gpt2", "smollm", "llama3", "qwen2"):
        tokenizer = build(name)
        size = tokenizer.get_vocab_size()
        ids = [[source.randrange(size + 3) for _ in range(12)] for _ in range(200)]
        expected = {
            "ids": [tokenizer.encode(t, add_special_tokens=False).ids for t in texts],
            "withSpecialTokens": [tokenizer.encode(t).ids for t in texts[:20]],
        }
        expected["decoded"] = [tokenizer.decode(i, skip_special_tokens=False) for i in expected["ids"]]
        expected["decodedWithoutSpecialTokens"] = [tokenizer.decode(i, skip_special_tokens=True) for i in expected["ids"]]
        expected["decodedWithoutSpecialTokens"] = [
            None if a == b else a for a, b in zip(expected["decodedWithoutSpecialTokens"], expected["decoded"])]
        expected["decoded"] = [None if a == t else a for a, t in zip(expected["decoded"], texts)]
        expected["randomIDs"] = ids
        expected["randomDecoded"] = [tokenizer.decode(i, skip_special_tokens=False) for i in ids]
        tokenizer.encode_special_tokens = True
        plain = [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
        expected["specialTokensAsText"] = [None if a == b else a for a, b in zip(plain, expected["ids"])]
        (ROOT / name / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
        print(name, size)


if __name__ == "__main__":
    main()
