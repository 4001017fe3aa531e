internal import TensorFormats

// Typed members; nil if a key is absent or null, an error that names it if its value is of another type.
extension ConfigReader {
  func int(_ key: String) throws -> Int? { try config[key].map { try Self.int($0, key) } }
  func double(_ key: String) throws -> Double? { try config[key].map { try Self.double($0, key) } }

  func bool(_ key: String) throws -> Bool? {
    guard let value = config[key] else { return nil }
    guard let flag = value.bool else { throw Self.wrongType(key, "true or false", value) }
    return flag
  }

  func string(_ key: String) throws -> String? {
    guard let value = config[key] else { return nil }
    guard let text = value.string else { throw Self.wrongType(key, "a string", value) }
    return text
  }

  static func int(_ value: JSON, _ key: String) throws -> Int {
    guard let number = value.int else { throw wrongType(key, "an integer", value) }
    return number
  }

  static func double(_ value: JSON, _ key: String) throws -> Double {
    guard let number = value.double, number.isFinite else { throw wrongType(key, "a number", value) }
    return number
  }

  static func wrongType(_ key: String, _ expected: String, _ found: JSON) -> CheckpointError {
    let text = found.serialized()
    let shown = text.utf8.count > 80 ? text.prefix(77) + "..." : text[...]
    return CheckpointError(.invalidConfig, "config.json: '\(key)' is \(shown), expected \(expected)")
  }
}
