internal import ModelCompute
internal import SafetensorsFormat
internal import TensorFormats

/// What a teacher said about rows of the training data, a file for each row, so that it is run once and a run goes on where it stopped.
public struct TeacherCache: Sendable {
  /// What is kept of a row.
  public enum Content: Sendable, Equatable {
    /// The final hidden states, F32: the head is run again, and training is the same bit for bit.
    case exact
    /// The likeliest tokens and the probability of all others: 8 bytes for each, whatever the hidden size.
    case top(Int)

    fileprivate var name: String {
      switch self {
      case .exact: "exact"
      case .top(let count): "top\(count)"
      }
    }
  }

  let folder: String
  let content: Content

  /// - Parameter folder: made for one teacher and one text.
  init(folder: String, content: Content) {
    self.folder = folder
    self.content = content
  }

  /// A folder in the work folder that is of this teacher and this text alone.
  init(_ content: Content, of teacher: ContentHash, on data: TrainingData, in work: String) throws {
    let folder = FileSystem.join(work, "teacher-\(content.name)-\(teacher.short)-\(data.fingerprint)")
    try FileSystem.makeDirectory(folder)
    self.init(folder: folder, content: content)
  }

  /// What is known of a row; `compute` runs the teacher if nothing is.
  func teacher(
    row: Int, count: Int, head: Head, computing compute: () throws -> Matrix
  ) throws -> LogitDivergence.Teacher {
    let path = FileSystem.join(folder, "row-\(row).safetensors")
    switch content {
    case .exact:
      if let states = try Self.matrix("final", in: path, rows: count) { return .hidden(states, head) }
      let states = try compute()
      try Self.write([("final", .f32, states.rows, Self.bytes(states))], to: path)
      return .hidden(states, head)
    case .top(let limit):
      if let known = try Self.top(in: path, count: count, limit: limit) { return .top { Array(known[$0]) } }
      let known = try Self.top(of: try compute(), head: head, limit: limit)
      let tokens = known.flatMap(\.tokens).map(\.littleEndian).withUnsafeBytes { Array($0) }
      let probabilities = known.flatMap(\.probabilities).map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) }
      let tails = known.map(\.tail.bitPattern.littleEndian).withUnsafeBytes { Array($0) }
      try Self.write(
        [("tokens", .u32, count, tokens), ("probabilities", .f32, count, probabilities), ("tail", .f32, count, tails)],
        to: path)
      return .top { Array(known[$0]) }
    }
  }

  private static func top(of states: Matrix, head: Head, limit: Int) throws -> [TopProbabilities] {
    var result: [TopProbabilities] = []
    try head.forEachPanel(states) { rows, logits in
      result += parallelMap(of: rows.count) { TopProbabilities(ofLogits: logits[$0], limit: limit) }
    }
    return result
  }

  // MARK: Files

  private static func top(in path: String, count: Int, limit: Int) throws -> [TopProbabilities]? {
    guard FileSystem.exists(path) else { return nil }
    let file = try SafetensorsFile(path: path)
    let (tokens, probabilities) = try (file.entry("tokens"), file.entry("probabilities"))
    let tails = try file.entry("tail")
    let width = tokens.info.shape.last ?? 0
    let expected = [count, min(limit, width)]
    guard tokens.info.shape == expected, probabilities.info.shape == expected, tails.info.shape == [count, 1],
      tokens.info.format == .u32, probabilities.info.format == .f32, tails.info.format == .f32
    else { return nil }
    func words(_ entry: SafetensorsEntry) -> [UInt32] {
      file.withBytes(of: entry) { bytes in
        (0..<bytes.count / 4).map {
          UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
        }
      }
    }
    let (ids, shares, rest) = (words(tokens), words(probabilities), words(tails))
    return (0..<count).map { row in
      let range = row * width..<(row + 1) * width
      return TopProbabilities(
        tokens: Array(ids[range]), probabilities: shares[range].map { Float(bitPattern: $0) },
        tail: Float(bitPattern: rest[row]))
    }
  }

  /// A matrix of `rows` rows that is a file's tensor; nil if there is no such file.
  private static func matrix(_ name: String, in path: String, rows: Int) throws -> Matrix? {
    guard FileSystem.exists(path) else { return nil }
    let file = try SafetensorsFile(path: path)
    let entry = try file.entry(name)
    guard entry.info.format == .f32, entry.info.shape.count == 2, entry.info.shape[0] == rows else { return nil }
    let result = Matrix(rows: rows, columns: entry.info.shape[1])
    file.withBytes(of: entry) { UnsafeMutableRawBufferPointer(result.values).copyMemory(from: $0) }
    return result
  }

  private static func bytes(_ matrix: Matrix) -> [UInt8] { Array(UnsafeRawBufferPointer(matrix.values)) }

  private static func write(_ tensors: [(String, ElementFormat, rows: Int, bytes: [UInt8])], to path: String) throws {
    let infos = tensors.map { TensorInfo(name: $0.0, format: $0.1, shape: [$0.rows, $0.bytes.count / 4 / $0.rows]) }
    let writer = try SafetensorsWriter(tensors: infos)
    let output = try OutputFile(path: path, overwrite: true)
    try writer.write(to: output) { info, sink in
      try tensors.first { $0.0 == info.name }!.bytes.withUnsafeBytes { try sink($0) }
    }
    try output.commit(durable: false)
  }
}

extension LogitDivergence.Teacher {
  /// Logits that a head makes of final hidden states, a panel at a time.
  static func hidden(_ states: Matrix, _ head: Head) -> Self {
    .logits { try head.logits(states.view(rows: $0)) }
  }
}
