extension JSON {
  /// Parses one JSON text (RFC 8259), refusing duplicate keys, lone surrogates and nesting deeper than 128.
  ///
  /// White space may stand around the value; nothing else may.
  public init(parsing bytes: UnsafeRawBufferPointer) throws(JSONError) {
    var parser = JSONParser(scanner: JSONScanner(bytes: bytes))
    self = try parser.parseValue(depth: 0)
    try parser.scanner.finish()
  }

  public init(parsing bytes: [UInt8]) throws(JSONError) {
    let result: Result<JSON, JSONError> = bytes.withUnsafeBytes { raw in
      Result { () throws(JSONError) in try JSON(parsing: raw) }
    }
    self = try result.get()
  }

  public init(parsing text: String) throws(JSONError) {
    try self.init(parsing: Array(text.utf8))
  }
}

/// Builds values from tokens by recursive descent, at most `JSONScanner.maximumDepth` deep.
private struct JSONParser {
  var scanner: JSONScanner

  mutating func parseValue(depth: Int) throws(JSONError) -> JSON {
    switch try scanner.nextKind() {
    case .object: return .object(try parseObject(depth: depth))
    case .array: return .array(try parseArray(depth: depth))
    case .string: return .string(try scanner.scanString())
    case .number: return .number(try scanner.scanNumber())
    case .bool: return .bool(try scanner.scanBool())
    case .null:
      try scanner.scanNull()
      return .null
    }
  }

  private mutating func parseObject(depth: Int) throws(JSONError) -> JSONObject {
    var object = JSONObject()
    try scanner.open(depth: depth)
    while let key = try scanner.nextKey(isFirst: object.isEmpty) {
      let offset = scanner.keyOffset
      let value = try parseValue(depth: depth + 1)
      guard object.updateValue(value, forKey: key) == nil else {
        throw JSONError(code: .duplicateKey, message: "key '\(key)' stands twice", offset: offset)
      }
    }
    return object
  }

  private mutating func parseArray(depth: Int) throws(JSONError) -> [JSON] {
    var array: [JSON] = []
    try scanner.open(depth: depth)
    while try scanner.nextElement(isFirst: array.isEmpty) {
      array.append(try parseValue(depth: depth + 1))
    }
    return array
  }
}
