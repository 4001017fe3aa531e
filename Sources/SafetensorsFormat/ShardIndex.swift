public import TensorFormats

/// The index of a checkpoint in several files: `model.safetensors.index.json`.
///
/// ```json
/// {
///   "metadata": {"total_parameters": 134515008, "total_size": 269030016},
///   "weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}
/// }
/// ```
/// As transformers writes it (`modeling_utils.py`, `save_pretrained`). It says neither format nor place of a tensor: those stand
/// in the header of each file.
public struct ShardIndex: Hashable, Sendable {
  /// The name of the index of a checkpoint called `model`.
  public static let fileName = "model.safetensors.index.json"
  /// The longest index that is read.
  public static let maximumByteCount = 100_000_000

  /// Everything under `metadata`.
  public var metadata: JSONObject
  /// File name of each tensor.
  public private(set) var fileNames: [String: String]

  /// Bytes of all tensors together, if the index says so.
  public var totalSize: Int? { metadata["total_size"]?.int }
  /// Elements of all tensors together, if the index says so. Older writers leave it out.
  public var totalParameters: Int? { metadata["total_parameters"]?.int }

  /// An index of tensors by file name.
  /// - Throws: `invalidShardName`.
  public init(fileNames: [String: String], totalSize: Int, totalParameters: Int) throws(SafetensorsError) {
    self.fileNames = fileNames
    metadata = ["total_parameters": .int(totalParameters), "total_size": .int(totalSize)]
    for name in Set(fileNames.values) { try Self.check(fileName: name) }
  }

  /// Reads the text of an index.
  /// - Throws: `invalidIndex` if it is not JSON of the expected form, `duplicateKey`, `invalidShardName` if a file name could
  ///   lead out of the directory.
  public init(parsing bytes: [UInt8]) throws(SafetensorsError) {
    let json: JSON
    do {
      json = try JSON(parsing: bytes)
    } catch {
      throw SafetensorsError(error.code == .duplicateKey ? .duplicateKey : .invalidIndex, "shard index: \(error)")
    }
    guard let map = json["weight_map"]?.object else {
      throw SafetensorsError(.invalidIndex, "shard index: weight_map is not an object")
    }
    switch json["metadata"] {
    case nil, .null: metadata = [:]
    case .object(let members): metadata = members
    default: throw SafetensorsError(.invalidIndex, "shard index: metadata is not an object")
    }
    fileNames = [:]
    fileNames.reserveCapacity(map.count)
    var checked: Set<String> = []
    for (tensor, value) in map {
      guard let name = value.string else {
        throw SafetensorsError(.invalidIndex, "shard index: file name of tensor \(quoted(tensor)) is not a string")
      }
      if checked.insert(name).inserted { try Self.check(fileName: name) }
      fileNames[tensor] = name
    }
  }

  /// Reads the index at `path`.
  public init(path: String) throws(SafetensorsError) {
    let bytes = try asSafetensorsError { () throws(FileError) in
      try FileSystem.read(path, limit: Self.maximumByteCount)
    }
    do {
      try self.init(parsing: bytes)
    } catch {
      throw error.inFile(path)
    }
  }

  /// The file that holds a tensor.
  public subscript(tensor: String) -> String? { fileNames[tensor] }

  /// The names of all files, in ascending order.
  public var files: [String] { Set(fileNames.values).sorted(by: precedes) }

  /// The text as Python's `json.dumps(index, indent=2, sort_keys=True) + "\n"` gives it.
  public func serializedBytes() -> [UInt8] {
    var map = JSONObject(uniqueKeysWithValues: fileNames.map { ($0.key, JSON.string($0.value)) })
    map.sort { precedes($0.key, $1.key) }
    let index: JSON = ["metadata": JSON.object(metadata).sorted, "weight_map": .object(map)]
    return index.serializedBytes(.indented, escapesNonASCII: true) + [0x0A]
  }

  /// The name of one file of several: `model-00001-of-00005.safetensors`. Counts from 1.
  public static func shardName(_ number: Int, of count: Int, stem: String = "model") -> String {
    "\(stem)-\(fiveDigits(number))-of-\(fiveDigits(count)).safetensors"
  }

  /// A file beside the index, and a safetensors file: an index comes from strangers.
  static func check(fileName: String) throws(SafetensorsError) {
    let isPlain = !fileName.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }
    guard isPlain, !fileName.hasPrefix("."), fileName.hasSuffix(".safetensors") else {
      throw SafetensorsError(
        .invalidShardName, "shard index: \(quoted(fileName)) is not the name of a .safetensors file beside it")
    }
  }

  private static func fiveDigits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.utf8.count)) + text
  }
}

/// Python's order of strings: by code point, which is the order of UTF-8 bytes. Swift's own is that of normalized text.
private func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

extension JSON {
  /// The same value with the keys of every object in ascending order.
  fileprivate var sorted: JSON {
    switch self {
    case .object(let members):
      var sorted = members.mapValues(\.sorted)
      sorted.sort { precedes($0.key, $1.key) }
      return .object(sorted)
    case .array(let elements): return .array(elements.map(\.sorted))
    case .null, .bool, .number, .string: return self
    }
  }
}
