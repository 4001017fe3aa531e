internal import TensorFormats

/// An object of a file of JSON lines, which says what is wrong with it and where.
struct TaskRecord {
  let path: String
  let line: Int
  private let object: JSONObject
  /// The field this object is the value of, and a dot.
  private let prefix: String

  /// Calls `body` for each line that is not blank until it returns false.
  static func forEach(in path: String, _ body: (TaskRecord) throws -> Bool) throws {
    let bytes = try FileSystem.read(path).withoutByteOrderMark
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
      guard try body(TaskRecord(path: path, line: index + 1, line)) else { return }
    }
  }

  private init(path: String, line: Int, _ bytes: ArraySlice<UInt8>) throws {
    func error(_ message: String) -> CompressionError {
      CompressionError(.invalidTask, "'\(path)' line \(line): \(message)")
    }
    do {
      guard let object = try JSON(parsing: Array(bytes)).object else { throw error("expected a JSON object") }
      self.init(path: path, line: line, object: object, prefix: "")
    } catch let problem as JSONError {
      throw error("not JSON: \(problem)")
    }
  }

  private init(path: String, line: Int, object: JSONObject, prefix: String) {
    self.path = path
    self.line = line
    self.object = object
    self.prefix = prefix
  }

  func string(_ field: String) throws -> String {
    guard let value = object[field]?.string else { throw error(field, expected: "a text") }
    return value
  }

  func strings(_ field: String) throws -> [String] {
    guard let values = object[field]?.array, !values.isEmpty else { throw error(field, expected: "a list of texts") }
    return try values.map { value in
      guard let text = value.string else { throw error(field, expected: "a list of texts") }
      return text
    }
  }

  func object(_ field: String) throws -> TaskRecord {
    guard let value = object[field]?.object else { throw error(field, expected: "an object") }
    return TaskRecord(path: path, line: line, object: value, prefix: prefix + field + ".")
  }

  /// A text, or a number as it is spelled.
  func text(_ field: String) throws -> String {
    guard let value = object[field]?.string ?? object[field]?.number?.text else {
      throw error(field, expected: "a text or a number")
    }
    return value
  }

  /// A number from 0, which may be spelled as text.
  func index(_ field: String, below count: Int) throws -> Int {
    guard let index = Int(try text(field)), index >= 0, index < count else {
      throw error(field, expected: "a number from 0 to \(count - 1)")
    }
    return index
  }

  /// What is wrong with a field.
  func error(_ field: String, expected: String) -> CompressionError {
    var found = object[field].map { $0.serialized() } ?? "nothing"
    if found.unicodeScalars.count > 60 { found = String(found.unicodeScalars.prefix(60)) + "…" }
    return CompressionError(
      .invalidTask, "'\(path)' line \(line): field '\(prefix + field)': expected \(expected), found \(found)")
  }
}
