internal import ArgumentParser
internal import ModelCheckpoints
internal import ModelCompression
internal import ModelCompute
internal import ModelTokenizers
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

struct LogitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits",
    abstract: "Run a model on tokens or text and show its logits.",
    discussion: """
      Shows the most likely next tokens; -o writes all logits, tokens × vocabulary, as F32 safetensors.

      Examples:
        mtconv logits model.gguf --text "The capital of France is"
        mtconv logits model/ --tokens 1,2,3 -o logits.safetensors
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(name: .long, help: ArgumentHelp("Token ids, separated by commas.", valueName: "ids"))
  var tokens: String?

  @Option(name: .long, help: "Text, tokenized as the model's tokenizer does, special tokens included.")
  var text: String?

  @Option(
    name: [.short, .customLong("output")],
    help: ArgumentHelp("Write tokens (I64) and logits (F32) to this safetensors file.", valueName: "file"),
    completion: .file())
  var outputFile: String?

  @Option(name: .long, help: ArgumentHelp("How many of the most likely tokens to show.", valueName: "count"))
  var top = 5

  @Flag(name: .long, help: "Replace the output file if it exists.")
  var force = false

  @OptionGroup(title: "FP8 models") var engine: EmulationOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if (tokens == nil) == (text == nil) { throw ValidationError("give either --tokens or --text") }
    if top < 1 { throw ValidationError("--top is \(top), expected at least 1") }
    _ = try tokens.map(Self.ids)
  }

  func run() throws {
    try FileError.refuseExisting(files: outputFile, from: [model], unless: force)
    let checkpoint = try Checkpoint(path: model)
    let tokenizer = try? checkpoint.tokenizer()
    let ids = try tokens.map(Self.ids) ?? checkpoint.tokenizer().encode(text ?? "")
    guard !ids.isEmpty else { throw CompressionError(.invalidTokens, "no tokens to run") }
    try checkpoint.checkTokens([ids])
    let logits = try checkpoint.network(engine.emulation).logits(ids)
    if let outputFile { try write(ids, logits, to: outputFile) }
    let last = logits[logits.rows - 1].map { $0.isNaN ? -.infinity : $0 }
    let probabilities = logits.copy(rows: logits.rows - 1..<logits.rows)
    probabilities.applySoftmax()
    let ranked = last.indices.sorted { (last[$0], -$0) > (last[$1], -$1) }.prefix(top)
    let report = LogitsReport(
      model: model, tokens: ids, emulation: try EmulationSummary(of: checkpoint, engine.emulation),
      next: ranked.map { id in
        LogitsReport.Candidate(
          id: id, text: tokenizer?.decode([id]), logit: Double(logits[logits.rows - 1][id]),
          probability: Double(probabilities[0][id]))
      })
    try report.print(asJSON: output.json)
  }

  private static func ids(_ list: String) throws -> [Int] {
    try list.split(separator: ",", omittingEmptySubsequences: false).map { part in
      guard let id = Int(part.filter { $0 != " " }) else {
        throw ValidationError("--tokens has '\(part)', expected ids separated by commas, such as 1,2,3")
      }
      return id
    }
  }

  private func write(_ ids: [Int], _ logits: Matrix, to path: String) throws {
    let writer = try SafetensorsWriter(
      tensors: [
        TensorInfo(name: "logits", format: .f32, shape: [logits.rows, logits.columns]),
        TensorInfo(name: "tokens", format: .i64, shape: [ids.count]),
      ], metadata: ["format": "pt"])
    let file = try OutputFile(path: path, overwrite: force, expectedSize: writer.fileSize)
    try writer.write(to: file) { info, sink in
      if info.name == "tokens" {
        try ids.map { Int64($0).littleEndian }.withUnsafeBytes { try sink($0) }
      } else {
        try sink(UnsafeRawBufferPointer(logits.values))
      }
    }
    try file.commit()
  }
}

struct LogitsReport: Report {
  struct Candidate: Encodable {
    let id: Int
    let text: String?
    let logit: Double
    let probability: Double
  }

  let model: String
  let tokens: [Int]
  let emulation: EmulationSummary?
  let next: [Candidate]

  var text: String {
    var table = TextTable([("next token", .right), ("text", .left), ("logit", .right), ("probability", .right)])
    for candidate in next {
      table.add([
        "\(candidate.id)", candidate.text.map { JSON.string($0).serialized() } ?? "",
        NumberText.fixed(candidate.logit, 4),
        NumberText.percent(candidate.probability, 2),
      ])
    }
    return "\(tokens.count) tokens: \(tokens.prefix(16).map(String.init).joined(separator: ", "))"
      + (tokens.count > 16 ? ", …" : "") + (emulation.map { "\n" + $0.text } ?? "") + "\n\n" + table.text
  }
}
