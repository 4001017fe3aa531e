internal import ArgumentParser
internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Choose layers, channels, neurons and heads to keep, from calibration statistics.",
    discussion: """
      Reads no weights. Layers are ranked by block influence, or go as one run with --contiguous; hidden channels, neurons and heads by the activations that \
      calibrate measured, query heads within their group. The plan is JSON to read, edit and give to compress --plan.

      Example:
        mtconv calibrate model/ --text text.txt -o stats.safetensors
        mtconv plan model/ --stats stats.safetensors --ffn 1152 --drop-layers 4 -o plan.json
        mtconv compress model/ small/ --plan plan.json --heldout other.txt
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var model: String

  @Option(name: .long, help: ArgumentHelp("Statistics that calibrate wrote.", valueName: "file"), completion: .file())
  var stats: String

  @Option(
    name: [.short, .customLong("output")], help: ArgumentHelp("The JSON file to write.", valueName: "file"),
    completion: .file())
  var outputFile: String

  @Option(name: .long, help: ArgumentHelp("Layers to drop.", valueName: "count"))
  var dropLayers: Int?

  @Option(name: .long, help: ArgumentHelp("Layers to keep.", valueName: "count"))
  var keepLayers: Int?

  @Flag(name: .long, help: "Drop neighbouring layers: the run over which the residual stream turns least.")
  var contiguous = false

  @Option(name: .long, help: ArgumentHelp("Hidden size.", valueName: "size"))
  var hidden: Int?

  @Option(name: .long, help: ArgumentHelp("Feed-forward size.", valueName: "size"))
  var ffn: Int?

  @Option(name: .long, help: ArgumentHelp("Query heads, a multiple of the key-value heads.", valueName: "count"))
  var heads: Int?

  @Option(name: .long, help: ArgumentHelp("Key-value heads.", valueName: "count"))
  var kvHeads: Int?

  @Flag(name: .long, help: "Judge hidden channels at the last norm, too.")
  var finalNorm = false

  @Flag(name: .long, help: "Replace the output file if it exists.")
  var force = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if dropLayers != nil, keepLayers != nil { throw ValidationError("give --drop-layers or --keep-layers, not both") }
    if [dropLayers, keepLayers, hidden, ffn, heads, kvHeads].allSatisfy({ $0 == nil }) {
      throw ValidationError(
        "nothing to plan: give --drop-layers, --keep-layers, --hidden, --ffn, --heads or --kv-heads")
    }
  }

  func run() throws {
    try FileError.refuseExisting(outputFile, unless: force)
    let checkpoint = try Checkpoint(path: model)
    let file = try StatisticsFile(path: stats)
    try file.check(against: checkpoint)
    var settings = Importance.Settings()
    settings.includesFinalNorm = finalNorm
    let sizes = checkpoint.hyperparameters
    let plan = try PruningPlan(
      for: sizes, to: target(sizes), by: file.statistics, criterion: contiguous ? .angularDistance : .blockInfluence,
      settings: settings)
    let pruned = try checkpoint.pruned(by: plan)
    let bytes = try JSON(encoding: plan).serializedBytes(.indented) + [0x0A]
    let result = try OutputFile(path: outputFile, overwrite: force)
    try result.write(bytes)
    try result.commit()
    try PlanReport(parent: checkpoint, pruned: pruned, plan: plan, output: outputFile).print(asJSON: output.json)
  }

  private func target(_ sizes: Hyperparameters) -> PruningTarget {
    PruningTarget(
      layers: keepLayers ?? dropLayers.map { sizes.layerCount - $0 }, hidden: hidden, intermediate: ffn,
      queryHeads: heads, keyValueHeads: kvHeads)
  }
}

struct PlanReport: Report {
  let output: String
  let plan: PruningPlan
  let sizes: [Size]

  struct Size: Encodable {
    let name: String
    let parent: Int
    let kept: Int
  }

  init(parent: Checkpoint, pruned: Checkpoint, plan: PruningPlan, output: String) {
    self.output = output
    self.plan = plan
    let (a, b) = (parent.hyperparameters, pruned.hyperparameters)
    sizes = [
      Size(name: "layers", parent: a.layerCount, kept: b.layerCount),
      Size(name: "hidden", parent: a.hiddenSize, kept: b.hiddenSize),
      Size(name: "feed-forward", parent: a.intermediateSize, kept: b.intermediateSize),
      Size(name: "query heads", parent: a.queryHeadCount, kept: b.queryHeadCount),
      Size(name: "key-value heads", parent: a.keyValueHeadCount, kept: b.keyValueHeadCount),
      Size(name: "parameters", parent: parent.parameterCount, kept: pruned.parameterCount),
    ]
  }

  var text: String {
    var table = TextTable([("", .left), ("parent", .right), ("kept", .right), ("ratio", .right)])
    for size in sizes {
      let isCount = size.name == "parameters"
      table.add([
        size.name, isCount ? NumberText.count(size.parent) : "\(size.parent)",
        isCount ? NumberText.count(size.kept) : "\(size.kept)",
        NumberText.fixed(Double(size.kept) / Double(max(size.parent, 1)), 3),
      ])
    }
    let dropped = plan.droppedLayers.map(String.init).joined(separator: ", ")
    return table.text + (dropped.isEmpty ? "" : "\n\nlayers dropped: \(dropped)") + "\n\nplan in \(output)"
  }
}
