internal import ModelCompute
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// Where a run stands: everything that is needed to go on bit by bit as if nothing had happened.
///
/// A safetensors file with three F32 tensors for each trained matrix, `NAME.value`, `NAME.mean` and `NAME.square`; the rest stands in
/// the metadata under `mtconv.distillation`, as JSON. The order of the data follows from the step, so it needs no state of its own.
struct DistillationState: Codable, Equatable {
  /// What the run is of; another run's state is refused.
  struct Identity: Codable, Equatable {
    var settings: DistillationSettings
    var student: Recipe.Parent
    var teacher: Recipe.Parent?
    /// Of the rows of tokens.
    var data: String
    /// Of the held-out text, which says what weights are the best.
    var heldOut: ContentHash
  }

  var identity: Identity
  /// Steps done.
  var step = 0
  /// Updates that the optimizer has made.
  var updates = 0
  var skipped = 0
  var start: HeldOutQuality
  var best: Best

  struct Best: Codable, Equatable {
    var step: Int
    var quality: HeldOutQuality
  }

  private static let metadataKey = "mtconv.distillation"

  /// Writes the file in place of an older one.
  func write(
    to path: String, _ parameters: [(key: ParameterKey, values: Matrix)], _ optimizer: AdamW
  ) throws {
    var tensors: OrderedDictionary<String, Matrix> = [:]
    for (key, values) in parameters {
      tensors["\(key).value"] = values
      tensors["\(key).mean"] = optimizer.moments[key]?.mean
      tensors["\(key).square"] = optimizer.moments[key]?.square
    }
    let writer = try SafetensorsWriter(
      tensors: tensors.map { TensorInfo(name: $0, format: .f32, shape: [$1.rows, $1.columns]) },
      metadata: [Self.metadataKey: JSON(encoding: self).serialized()])
    let output = try OutputFile(path: path, overwrite: true, expectedSize: writer.fileSize)
    try writer.write(to: output) { info, sink in try sink(UnsafeRawBufferPointer(tensors[info.name]!.values)) }
    try output.commit()
  }

  /// Reads what stands in the metadata.
  init(file: SafetensorsFile, path: String) throws {
    guard let text = file.metadata[Self.metadataKey] else {
      throw CompressionError(.wrongState, "'\(path)' is not the state of a training run")
    }
    do {
      self = try JSON(parsing: text).decoded()
    } catch {
      throw CompressionError(.wrongState, "the state in '\(path)' cannot be read: \(decodingMessage(error))")
    }
  }

  init(identity: Identity, start: HeldOutQuality) {
    self.identity = identity
    self.start = start
    best = Best(step: 0, quality: start)
  }

  /// Reads the values of all parameters into their matrices, and the moments.
  func restore(
    _ parameters: [(key: ParameterKey, values: Matrix)], from file: SafetensorsFile
  ) throws -> [ParameterKey: AdamW.Moments] {
    var moments: [ParameterKey: AdamW.Moments] = [:]
    for (key, values) in parameters {
      try Self.read("\(key).value", of: file, into: values)
      guard file["\(key).mean"] != nil else { continue }
      let mean = Matrix(rows: values.rows, columns: values.columns)
      let square = Matrix(rows: values.rows, columns: values.columns)
      try Self.read("\(key).mean", of: file, into: mean)
      try Self.read("\(key).square", of: file, into: square)
      moments[key] = AdamW.Moments(mean: mean, square: square)
    }
    return moments
  }

  private static func read(_ name: String, of file: SafetensorsFile, into matrix: Matrix) throws {
    let entry = try file.entry(name)
    guard entry.info.format == .f32, entry.info.shape == [matrix.rows, matrix.columns] else {
      throw CompressionError(
        .wrongState,
        "tensor '\(name)' of the state is \(entry.info.format) \(entry.info.shape), expected F32 [\(matrix.rows), \(matrix.columns)]"
      )
    }
    file.withBytes(of: entry) { UnsafeMutableRawBufferPointer(matrix.values).copyMemory(from: $0) }
  }
}

extension DistillationState.Identity {
  /// Names what is not the same; of settings each, with what this run has and what `other` has.
  func difference(from other: Self) throws -> String {
    var names: [String] = []
    if settings != other.settings { names.append("settings (\(try settings.differences(from: other.settings)))") }
    if student != other.student { names.append("student") }
    if teacher != other.teacher { names.append("teacher") }
    if data != other.data { names.append("training text") }
    if heldOut != other.heldOut { names.append("held-out text") }
    return "other \(names.joined(separator: ", "))"
  }
}

extension DistillationSettings {
  /// `seed 1, now 9`
  fileprivate func differences(from other: Self) throws -> String {
    let (own, others) = (try JSON(encoding: self).leaves(), try JSON(encoding: other).leaves())
    let names = OrderedSet(own.keys).union(others.keys).filter { own[$0] != others[$0] }
    return names.map { "\($0) \(own[$0] ?? "none"), now \(others[$0] ?? "none")" }.joined(separator: "; ")
  }
}

extension JSON {
  /// The members that hold no others, by their path: `optimizer.weightDecay`.
  fileprivate func leaves(_ path: [String] = []) -> OrderedDictionary<String, String> {
    guard let members = object else { return [path.joined(separator: "."): serialized()] }
    return members.reduce(into: [:]) { leaves, member in
      leaves.merge(member.value.leaves(path + [member.key])) { first, _ in first }
    }
  }
}
