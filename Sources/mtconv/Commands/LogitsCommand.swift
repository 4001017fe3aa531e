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

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if (tokens == nil) == (text == nil) { throw ValidationError("give either --tokens or --text") }
    if top < 1 { throw ValidationError("--top is \(top), expected at least 1") }
  }

  func run() throws {
    let checkpoint = try Checkpoint(path: model)
    let tokenizer = try? checkpoint.tokenizer()
    let ids = try text.map { try checkpoint.tokenizer().encode($0) } ?? parsedTokens()
    guard !ids.isEmpty else { throw CompressionError(.invalidTokens, "no tokens to run") }
    try checkpoint.checkTokens([ids])
    let logits = try checkpoint.network.logits(ids)
    if let outputFile { try write(ids, logits, to: outputFile) }
    let last = Array(logits[logits.rows - 1])
    let probabilities = logits.copy(rows: logits.rows - 1..<logits.rows)
    probabilities.applySoftmax()
    let ranked = last.indices.sorted { (last[$0], -$0) > (last[$1], -$1) }.prefix(top)
    let report = LogitsReport(
      model: model, tokens: ids,
      next: ranked.map { id in
        LogitsReport.Candidate(
          id: id, text: tokenizer?.decode([id]), logit: Double(last[id]), probability: Double(probabilities[0][id]))
      })
    try report.print(asJSON: output.json)
  }

  private func parsedTokens() throws -> [Int] {
    try (tokens ?? "").split(separator: ",").map { part in
      let word = part.filter { $0 != " " }
      guard let id = Int(word) else { throw CompressionError(.invalidTokens, "'\(part)' is not a token id") }
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
      + (tokens.count > 16 ? ", …" : "") + "\n\n" + table.text
  }
}
