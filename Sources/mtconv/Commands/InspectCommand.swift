internal import ArgumentParser
internal import ModelCheckpoints
internal import TensorFormats

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show the header facts of a model file or directory.",
    discussion: """
      Reads headers only, so a model of any size is shown at once. Works for families that mtconv cannot run, too.

      Examples:
        mtconv inspect model.gguf
        mtconv inspect SmolLM2/ --tensors
        mtconv inspect model.safetensors --json
      """)

  @Argument(help: "A .safetensors or .gguf file, or a model directory.", completion: .file())
  var path: String

  @Flag(name: .long, help: "List every tensor.")
  var tensors = false

  @Flag(name: .long, help: "List all metadata.")
  var metadata = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    let report = InspectReport(inspection: try Inspection(path: path), showsTensors: tensors, showsMetadata: metadata)
    try report.print(asJSON: output.json)
  }
}

struct InspectReport: Report {
  let inspection: Inspection
  let showsTensors: Bool
  let showsMetadata: Bool

  private enum Key: String, CodingKey {
    case path, format, family, supported, parameters, bytes, tensorCount, elementFormats, metadata, tensors, warnings
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(inspection.path, forKey: .path)
    try container.encode(inspection.fileFormat, forKey: .format)
    try container.encode(inspection.family, forKey: .family)
    try container.encode(inspection.isSupported, forKey: .supported)
    try container.encode(inspection.parameterCount, forKey: .parameters)
    try container.encode(inspection.byteCount, forKey: .bytes)
    try container.encode(inspection.tensorCount, forKey: .tensorCount)
    try container.encode(inspection.formats, forKey: .elementFormats)
    if showsMetadata { try container.encode(inspection.metadata, forKey: .metadata) }
    if showsTensors { try container.encode(inspection.tensors, forKey: .tensors) }
    try container.encode(inspection.warnings, forKey: .warnings)
  }

  var text: String {
    var parts = [summary, formats]
    if showsMetadata { parts.append(metadata) }
    if showsTensors { parts.append(tensors) }
    if !inspection.warnings.isEmpty {
      parts.append(inspection.warnings.map { "warning: \($0)" }.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  private var summary: String {
    var table = TextTable([("", .left), ("", .left)])
    table.add(["path", inspection.path])
    table.add(["format", inspection.fileFormat])
    let family = inspection.family ?? "not stated"
    table.add(["family", inspection.isSupported || inspection.family == nil ? family : family + " (not supported)"])
    table.add(["parameters", NumberText.count(inspection.parameterCount)])
    table.add(["data", "\(NumberText.bytes(inspection.byteCount)) in \(inspection.tensorCount) tensors"])
    return table.text
  }

  private var formats: String {
    var table = TextTable([("element format", .left), ("tensors", .right), ("elements", .right), ("bytes", .right)])
    for share in inspection.formats {
      table.add([
        share.format.name, "\(share.tensorCount)", NumberText.count(share.elementCount),
        NumberText.bytes(share.byteCount),
      ])
    }
    return table.text
  }

  private var metadata: String {
    var table = TextTable([("key", .left), ("value", .left)])
    for entry in inspection.metadata { table.add([entry.key, Self.shortened(entry.value.serialized())]) }
    return table.text
  }

  private var tensors: String {
    var table = TextTable([("tensor", .left), ("format", .left), ("shape", .left), ("bytes", .right)])
    for tensor in inspection.tensors {
      let shape = tensor.shape.map(String.init).joined(separator: " × ")
      table.add([tensor.name, tensor.format.name, shape, NumberText.bytes(tensor.byteCount)])
    }
    return table.text
  }

  private static func shortened(_ text: String) -> String { text.count > 96 ? text.prefix(95) + "…" : text }
}
