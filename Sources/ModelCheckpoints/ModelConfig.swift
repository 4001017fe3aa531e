internal import ModelArchitectures
public import TensorFormats

/// The `config.json` of a model: raw, with its order and spelling kept.
public struct ModelConfig: Hashable, Sendable {
  public var object: JSONObject

  public init(_ object: JSONObject) { self.object = object }

  public init(parsing bytes: [UInt8], name: String) throws {
    guard case .object(let object) = try JSON(parsing: bytes, file: name) else {
      throw CheckpointError(.invalidConfig, "'\(name)' is not a JSON object")
    }
    self.object = object
  }

  /// The member of this key; nil if it is absent or null.
  public subscript(key: String) -> JSON? {
    guard let value = object[key], !value.isNull else { return nil }
    return value
  }

  /// The text as transformers writes it: two spaces, a new line at the end.
  public var bytes: [UInt8] { JSON.object(object).serializedBytes(.indented) + [0x0A] }
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
