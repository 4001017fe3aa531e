internal import ModelArchitectures
public import TensorFormats

/// The `config.json` of a model: raw, with its order and spelling kept.
public struct ModelConfig: Hashable, Sendable {
  public var object: JSONObject
  /// What it was read from: the file's own layout is given back while nothing is changed.
  private let source: Source?

  private struct Source: Hashable {
    let object: JSONObject
    let bytes: [UInt8]
  }

  public init(_ object: JSONObject) {
    self.object = object
    source = nil
  }

  public init(parsing bytes: [UInt8], name: String) throws {
    guard case .object(let object) = try JSON(parsing: bytes, file: name) else {
      throw CheckpointError(.invalidConfig, "'\(name)' is not a JSON object")
    }
    self.object = object
    source = Source(object: object, bytes: bytes)
  }

  /// The member of this key; nil if it is absent or null.
  public subscript(key: String) -> JSON? {
    guard let value = object[key], !value.isNull else { return nil }
    return value
  }

  /// The text: as it was read if nothing has changed, else as transformers writes it, with two spaces and a new line at the end.
  public var bytes: [UInt8] {
    if let source, source.object == object { return source.bytes }
    return JSON.object(object).serializedBytes(.indented) + [0x0A]
  }
}

extension JSON {
  /// Parses a file's content; the error names the file.
  init(parsing bytes: [UInt8], file name: String) throws {
    do {
      self = try JSON(parsing: bytes)
    } catch {
      throw CheckpointError(.invalidConfig, "'\(name)' is not valid JSON: \(error)")
    }
  }
}
