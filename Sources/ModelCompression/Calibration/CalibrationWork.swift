internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// A folder where a calibration keeps what it cannot hold in memory, and from which one that was stopped goes on.
///
/// It holds the residual stream before and after a block (`stream-0.f32`, `stream-1.f32`, taking turns), that of the last tokens
/// (`last-tokens.f32`), and after each block what is known by then (`state.safetensors`, `layer-losses.safetensors`). The state begins with the key
/// of the run; only a run of the same key goes on from it.
public final class CalibrationWork {
  public let path: String
  private let key: String
  private let lock: ScratchFile

  static let stateName = "state.safetensors"
  static let lossesName = "layer-losses.safetensors"
  private static let lockName = "lock"
  private static let names = [stateName, lossesName, "stream-0.f32", "stream-1.f32", "last-tokens.f32"]

  /// Opens the folder, or makes it.
  ///
  /// - Parameter key: what the results depend on: weights, tokens and settings.
  /// - Throws: `CompressionError.wrongStatistics` if the folder belongs to another run, or one that still goes on.
  public init(path: String, key: String) throws {
    self.path = path
    self.key = key
    try FileSystem.makeDirectory(path)
    lock = try ScratchFile(path: FileSystem.join(path, Self.lockName))
    guard try lock.lock() else {
      throw CompressionError(.wrongStatistics, "'\(path)' is in use by another process")
    }
    for name in [Self.stateName, Self.lossesName] where FileSystem.exists(file(name)) {
      guard try SafetensorsFile(path: file(name)).metadata["key"] == key else {
        throw CompressionError(
          .wrongStatistics,
          "'\(path)' holds the work of another calibration (other weights, tokens or settings): give another folder,"
            + " or remove it")
      }
    }
  }

  func file(_ name: String) -> String { FileSystem.join(path, name) }

  func rows(_ name: String, columns: Int, forgets: Bool = false) throws -> FileRows {
    try FileRows(path: file(name + ".f32"), columns: columns, forgets: forgets)
  }

  /// Throws `FileError.noSpace` unless there is room for `byteCount` bytes, counting what the folder holds already.
  func checkSpace(_ byteCount: Int) throws {
    let held = Self.names.reduce(0) { $0 + ((try? FileSystem.size(of: file($1))) ?? 0) }
    guard let available = FileSystem.availableBytes(at: path), available < byteCount - held else { return }
    throw FileError(.noSpace, "'\(path)' needs \(byteCount - held) bytes, \(available) are free")
  }

  /// Removes what this class has put into the folder, and the folder if nothing else is in it.
  public func remove() throws {
    for name in Self.names + [Self.lockName] { try FileSystem.removeFile(file(name)) }
    FileSystem.removeEmptyDirectory(path)
  }

  // MARK: State

  /// What is known of the blocks that are done; nil if none is.
  func loadState() throws -> NumberReader? {
    guard FileSystem.exists(file(Self.stateName)) else { return nil }
    return NumberReader(file: try SafetensorsFile(path: file(Self.stateName)))
  }

  func saveState(_ tensors: NumberTensors) throws {
    try tensors.write(to: file(Self.stateName), metadata: ["key": key], overwrite: true)
  }

  /// Losses of the groups of sequences that are done, `count` in each; empty if none is.
  func loadLosses(count: Int) throws -> [[TokenLosses]] {
    guard FileSystem.exists(file(Self.lossesName)) else { return [] }
    let reader = NumberReader(file: try SafetensorsFile(path: file(Self.lossesName)))
    let sums = try reader.numbers("losses")
    guard count > 0, sums.count.isMultiple(of: 3 * count) else {
      throw CompressionError(.wrongStatistics, "'\(file(Self.lossesName))' does not hold \(count) losses a group")
    }
    return stride(from: 0, to: sums.count, by: 3 * count).map { group in
      (0..<count).map { TokenLosses(sums[group + 3 * $0..<group + 3 * $0 + 3]) }
    }
  }

  func saveLosses(_ groups: [[TokenLosses]]) throws {
    var tensors = NumberTensors()
    tensors.add(groups.joined().flatMap(\.sums), "losses")
    try tensors.write(to: file(Self.lossesName), metadata: ["key": key], overwrite: true)
  }
}
