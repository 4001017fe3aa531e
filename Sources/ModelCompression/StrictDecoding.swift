extension Decoder {
  /// Throws for a member that `keys` does not list: what it would have meant must not be passed over.
  func refuseUnknownKeys<Keys: CodingKey & CaseIterable>(_ keys: Keys.Type) throws {
    let known = Set(Keys.allCases.map(\.stringValue))
    for key in try container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
      let names = Keys.allCases.map { "'\($0.stringValue)'" }.joined(separator: ", ")
      let context = DecodingError.Context(
        codingPath: codingPath, debugDescription: "unknown key '\(key.stringValue)', expected \(names)")
      throw DecodingError.dataCorrupted(context)
    }
  }
}

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// One line for what went wrong in decoding: where, and what.
package func decodingMessage(_ error: any Error) -> String {
  guard let error = error as? DecodingError else { return "\(error)" }
  let (place, what): (DecodingError.Context, String) =
    switch error {
    case .keyNotFound(let key, let context): (context, "key '\(key.stringValue)' is missing")
    case .valueNotFound(let type, let context): (context, "null found, expected \(type)")
    case .typeMismatch(_, let context), .dataCorrupted(let context): (context, context.debugDescription)
    @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "\(error)")
    }
  let path = place.codingPath.map(\.stringValue).joined(separator: ".")
  return path.isEmpty ? what : "\(path): \(what)"
}
