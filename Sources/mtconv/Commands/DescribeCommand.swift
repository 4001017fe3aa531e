internal import ArgumentParser
internal import ModelCheckpoints
internal import TensorFormats

struct DescribeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Show the weight table and the forward program that follow from a model's configuration.",
    discussion: """
      Each weight with its shape in symbolic axes and in numbers, its names in both file formats and what changes between \
      them; then the program, a step a line.

      Example:
        mtconv describe model.gguf
      """)

  @Argument(help: "A model directory or GGUF file.", completion: .file())
  var path: String

  @OptionGroup var output: OutputOptions

  func run() throws {
    try DescribeReport(description: ModelDescription(of: try Checkpoint(path: path))).print(asJSON: output.json)
  }
}

struct DescribeReport: Report {
  let description: ModelDescription

  func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }

  var text: String {
    let head =
      "\(description.family), \(description.layerCount) layers, \(NumberText.count(description.parameterCount)) parameters"
    let program = description.program.map { section in
      ([section.title] + section.steps.map { "  " + $0 }).joined(separator: "\n")
    }
    return ([head, table] + program).joined(separator: "\n\n")
  }

  private var table: String {
    var table = TextTable([
      ("weight", .left), ("axes", .left), ("shape", .left), ("format", .left), ("Hugging Face", .left), ("GGUF", .left),
      ("transform", .left),
    ])
    for row in description.weights {
      table.add([
        row.role, row.axes, row.shape.map(String.init).joined(separator: " × "), row.format.name, row.huggingFaceName,
        row.ggufName, row.transform,
      ])
    }
    return table.text
  }
}
