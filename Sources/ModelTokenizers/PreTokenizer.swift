/// How text is split into words before byte-pair encoding; no token reaches over the end of a word.
public enum PreTokenizer: Hashable, Sendable {
  /// GPT-2's pattern.
  case gpt2
  /// Every digit alone, then GPT-2's pattern.
  case smollm
  /// The pattern of Llama 3: digits in groups of up to three.
  case llama3
  /// The pattern of Qwen 2: Llama 3's with single digits.
  case qwen2
  /// Any other: what was found in the file.
  case unsupported(String)
}

extension PreTokenizer {
  /// One part of `pre_tokenizer` in tokenizer.json, without the keys that do not change ids.
  enum Step: Hashable {
    /// `Digits`: every numeric character is a word of its own.
    case individualDigits
    /// `Split` with this pattern, matches isolated.
    case split(String)
    /// `ByteLevel`, with GPT-2's pattern or without.
    case byteLevel(usesPattern: Bool)
  }

  /// A name that `tokenizer.ggml.pre` may have, and what llama.cpp takes from the name besides the pattern.
  struct GGUFName {
    let name: String
    var ignoresMerges = false
    var addsBeginning = false
    /// The normalizer of the model that the name comes from. GGUF does not say it and llama.cpp does not run it.
    var normalizer = TextNormalizer.none
  }

  /// How one pattern is called and spelled in both formats. The first name that fits is the one we write.
  struct Row {
    let preTokenizer: PreTokenizer
    let steps: [Step]
    let ggufNames: [GGUFName]
  }

  /// Facts from `llama_vocab::impl::load` of llama.cpp (names, patterns) and the tokenizer.json of the models named.
  static let rows: [Row] = [
    Row(
      preTokenizer: .gpt2,
      steps: [.byteLevel(usesPattern: true)],
      ggufNames: names(
        "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat", "a.x-4.0", "mellum",
        "modern-bert", "exaone4", "mpt", "olmo", "jais", "trillion", "granite-docling")),
    Row(
      preTokenizer: .smollm,
      steps: [.individualDigits, .byteLevel(usesPattern: true)],
      ggufNames: names("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")),
    Row(
      preTokenizer: .llama3,
      steps: [.split(modernPattern(digits: #"\p{N}{1,3}"#)), .byteLevel(usesPattern: false)],
      ggufNames: [
        "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
      ].map { GGUFName(name: $0, ignoresMerges: true, addsBeginning: true) }
        + names("dbrx", "smaug-bpe", "glm4", "chatglm-bpe")),
    Row(
      preTokenizer: .qwen2,
      steps: [.split(modernPattern(digits: #"\p{N}"#)), .byteLevel(usesPattern: false)],
      ggufNames: [GGUFName(name: "qwen2", normalizer: .nfc)]
        + names("deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez", "kormo", "f2llmv2")),
  ]

  private static func names(_ names: String...) -> [GGUFName] { names.map { GGUFName(name: $0) } }

  private static func modernPattern(digits: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  /// Where this pattern stands in the table; nil for an unsupported one.
  var row: Row? { Self.rows.first { $0.preTokenizer == self } }

  /// What `tokenizer.ggml.pre` says, if it says something we know.
  static func named(_ name: String) -> (PreTokenizer, GGUFName)? {
    for row in rows {
      if let found = row.ggufNames.first(where: { $0.name == name }) { return (row.preTokenizer, found) }
    }
    return nil
  }

  /// The name for `tokenizer.ggml.pre`; nil if no name stands for this pattern with these merges.
  func ggufName(ignoresMerges: Bool, normalizer: TextNormalizer) -> String? {
    let fitting = (row?.ggufNames ?? []).filter { $0.ignoresMerges == ignoresMerges }
    return (fitting.first { $0.normalizer == normalizer } ?? fitting.first)?.name
  }
}
