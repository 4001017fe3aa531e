public import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
public import TensorFormats

struct OutputOptions: ParsableArguments {
  @Flag(name: .long, help: "Print the report as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  var progress: ProgressLine { ProgressLine(isEnabled: !quiet) }
}

/// Where in a text sequences are taken.
enum Sampling: String, CaseIterable, ExpressibleByArgument {
  /// The first ones, as other tools do.
  case start
  /// At equal distances: fits weights to all kinds of text that are there.
  case spread
}

/// Text that a model is run on.
struct TextOptions: ParsableArguments {
  static let defaultContext = 512

  @Option(
    name: .long,
    help: ArgumentHelp("Tokens in a sequence (default: 512, or the model's context if shorter).", valueName: "tokens"))
  var context: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Sequences to use (default: all; 32 to calibrate, 8 to verify).", valueName: "count"))
  var chunks: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Where in a text they are taken: from its start, or spread over all of it (default: start; spread to heal).",
      valueName: "where"))
  var sample: Sampling?

  @Flag(name: .long, help: "Do not put the beginning token at the start of each sequence.")
  var noBos = false

  @Option(
    name: .long,
    help: ArgumentHelp("The field of a JSON object that holds a document: plain text, not a chat.", valueName: "name"))
  var field = TextInput.defaultField

  func validate() throws {
    if let context, context < 4 { throw ValidationError("--context is \(context), expected at least 4") }
    if let chunks, chunks < 1 { throw ValidationError("--chunks is \(chunks), expected at least 1") }
  }

  /// Tokens in a sequence that the model was made for.
  func length(for model: Checkpoint) -> Int {
    let length = context ?? Self.defaultContext
    let limited = model.limited(context: length)
    if context != nil, limited < length {
      Console.error("warning: --context \(length) is more than the model's \(limited), which is used")
    }
    return limited
  }

  /// The sequences of a file, whose name says what it holds; see `TextInput`.
  func set(
    _ path: String, model: Checkpoint, limit: Int? = nil, sample usual: Sampling = .start
  ) throws -> CalibrationSet {
    try set(TextInput(path: path, field: field), model: model, limit: limit, sample: usual)
  }

  /// - Parameters:
  ///   - limit: sequences at most, unless --chunks says otherwise.
  ///   - usual: where they are taken, unless --sample says otherwise.
  func set(
    _ input: TextInput, model: Checkpoint, limit: Int? = nil, sample usual: Sampling = .start
  ) throws -> CalibrationSet {
    try CalibrationSet(
      reading: input, model: model, context: length(for: model), limit: chunks ?? limit,
      isSpread: (sample ?? usual) == .spread, beginsSequences: !noBos)
  }
}

/// The one file that a model is run on, and how it is cut. Commands that cannot do without call `require` in `validate`.
struct TextInputOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("A UTF-8 text file.", valueName: "file"), completion: .file())
  var text: String?

  @Option(
    name: .long,
    help: ArgumentHelp("A file with a JSON object on each line, a document in its --field.", valueName: "file"),
    completion: .file())
  var jsonl: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A file of token ids: a JSON array of arrays, or a sequence on each line. They are used as they are.",
      valueName: "file"), completion: .file())
  var tokens: String?

  @OptionGroup var sequences: TextOptions

  func validate() throws {
    if [text, jsonl, tokens].count(where: { $0 != nil }) > 1 {
      throw ValidationError("give one of --text, --jsonl and --tokens")
    }
    if tokens != nil, sequences.context != nil || sequences.noBos {
      throw ValidationError("--tokens are used as they are; --context and --no-bos do not go with them")
    }
  }

  func require() throws {
    if input == nil { throw ValidationError("nothing to read: give --text, --jsonl or --tokens") }
  }

  /// What to read; nil if nothing was given.
  var input: TextInput? {
    if let text { return TextInput(path: text, kind: .text) }
    if let jsonl { return TextInput(path: jsonl, kind: .jsonLines(field: sequences.field)) }
    return tokens.map { TextInput(path: $0, kind: .tokens) }
  }

  /// The sequences; nil if nothing was given.
  func set(model: Checkpoint, limit: Int? = nil, sample: Sampling = .start) throws -> CalibrationSet? {
    try input.map { try sequences.set($0, model: model, limit: limit, sample: sample) }
  }

  /// The sequences, for a command that has called `require`.
  func requiredSet(model: Checkpoint, limit: Int? = nil, sample: Sampling = .start) throws -> CalibrationSet {
    guard let set = try set(model: model, limit: limit, sample: sample) else { preconditionFailure("nothing to read") }
    return set
  }
}

extension ElementFormat: ExpressibleByArgument {
  public init?(argument: String) {
    guard let format = ElementFormat(name: argument), Self.offered.contains(format) else { return nil }
    self = format
  }

  public var defaultValueDescription: String { name.lowercased() }
  public static var allValueStrings: [String] { offered.map { $0.name.lowercased() } }

  /// What `--dtype` takes.
  static let offered: [ElementFormat] = [.f32, .f16, .bf16, .q8_0]
}

/// A size in bytes: `5GB`, `5G`, `512MiB`, `1000000`.
struct ByteSize: ExpressibleByArgument {
  let count: Int

  init?(argument: String) {
    let units: [(String, Int)] = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
      ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
      ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("B", 1), ("", 1),
    ]
    for (suffix, factor) in units where argument.uppercased().hasSuffix(suffix.uppercased()) {
      let digits = argument.dropLast(suffix.count)
      guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let number = Double(digits) else {
        continue
      }
      guard number * Double(factor) >= 1, number * Double(factor) < 1e18 else { return nil }
      count = Int(number * Double(factor))
      return
    }
    return nil
  }
}
