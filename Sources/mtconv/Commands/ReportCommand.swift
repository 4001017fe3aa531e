internal import ArgumentParser
internal import TensorFormats

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show what was measured and made, as one HTML page.",
    discussion: """
      Reads what it finds in DIR, such as OUT.work, which compress leaves: stats.safetensors, plan.json, plan-report.json (of \
      plan --json), candidates.json, healing.json, verification.json (of verify or compress --json), stages.json (of \
      compress), eval*.json (of eval --json), log.jsonl of a distillation and mtconv.json; options name files that lie elsewhere. The page has charts for \
      what is there and says which command makes what is not. It is one file without scripts, and loads nothing.

      Examples:
        mtconv verify model/ small/ --text other.txt --json > small/verification.json
        mtconv report small/ --stats stats.safetensors --model model/ -o report.html
        mtconv report small.work -o report.html
      """)

  @Argument(help: "A folder with results.", completion: .directory)
  var directory: String

  @Option(
    name: [.short, .customLong("output")], help: ArgumentHelp("The HTML file to write.", valueName: "file"),
    completion: .file())
  var outputFile: String

  @Option(name: .long, help: ArgumentHelp("Statistics that calibrate wrote.", valueName: "file"), completion: .file())
  var stats: String?

  @Option(name: .long, help: ArgumentHelp("A pruning plan.", valueName: "file"), completion: .file())
  var plan: String?

  @Option(
    name: .long, help: ArgumentHelp("Candidates that plan wrote.", valueName: "file"), completion: .file())
  var candidates: String?

  @Option(name: .long, help: ArgumentHelp("What healing wrote.", valueName: "file"), completion: .file())
  var healing: String?

  @Option(
    name: .long, help: ArgumentHelp("What verify or compress printed as JSON.", valueName: "file"),
    completion: .file())
  var verification: String?

  @Option(
    name: .customLong("eval"), parsing: .singleValue,
    help: ArgumentHelp("What eval printed as JSON; may be given again.", valueName: "file"), completion: .file())
  var evaluations: [String] = []

  @Option(name: .long, help: ArgumentHelp("The log of a distillation.", valueName: "file"), completion: .file())
  var log: String?

  @Option(
    name: .long, help: ArgumentHelp("The parent model, for the width of its heads.", valueName: "model"),
    completion: .file())
  var model: String?

  @Flag(name: .long, help: "Replace the output file if it exists.")
  var force = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    let names: [(ReportFiles.Name, String?)] = [
      (.statistics, stats), (.plan, plan), (.candidates, candidates), (.healing, healing),
      (.verification, verification), (.training, log),
    ]
    try FileError.refuseExisting(
      files: outputFile, from: names.map(\.1) + evaluations + [model], unless: force)
    var files = ReportFiles(directory: directory)
    for (name, path) in names { files.given[name] = path }
    files.evaluations = evaluations
    files.model = model
    let page = ReportPage(try files.read())
    let bytes = Array(page.html.utf8)
    let file = try OutputFile(path: outputFile, overwrite: force)
    try file.write(bytes)
    try file.commit()
    try PageReport(
      output: outputFile, bytes: bytes.count, sections: page.sections.map(\.title), missing: page.missing.map(\.what)
    ).print(asJSON: output.json)
  }
}

/// What is on the page.
struct PageReport: Report {
  let output: String
  let bytes: Int
  let sections: [String]
  let missing: [String]

  var text: String {
    let shown = sections.isEmpty ? "nothing to show" : sections.joined(separator: ", ")
    let rest = missing.isEmpty ? "" : "\nmissing: " + missing.joined(separator: "; ")
    return "\(shown)\(rest)\n\n\(NumberText.bytes(bytes)) in \(output)".escapingControls(keepingLines: true)
  }
}
