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
      "Sequences to use, from the start of the text (default: all; 32 to calibrate, 8 to verify).", valueName: "count"))
  var chunks: Int?

  @Flag(name: .long, help: "Do not put the beginning token at the start of each sequence.")
  var noBos = false

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

  func set(_ path: String, model: Checkpoint, limit: Int? = nil) throws -> CalibrationSet {
    let bytes = try FileSystem.read(path)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CompressionError(.notEnoughText, "'\(path)' is not UTF-8 text")
    }
    do {
      return try CalibrationSet(
        text: text, model: model, context: length(for: model), limit: chunks ?? limit, beginsSequences: !noBos)
    } catch let error as CompressionError where error.code == .notEnoughText {
      throw CompressionError(.notEnoughText, "'\(path)': \(error.message)")
    }
  }
}

extension FileError {
  /// Refuses an output that is there, before any work is done for it.
  static func refuseExisting(_ path: String, unless replaces: Bool) throws {
    guard !replaces, FileSystem.exists(path) else { return }
    throw FileError(.exists, "'\(path)' already exists; --force replaces it")
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
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
      ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("B", 1), ("", 1),
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
