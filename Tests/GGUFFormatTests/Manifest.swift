import GGUFFormat
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

/// `Fixtures/gguf/manifest.json`: what gguf-py reads in the valid files, which rule each invalid file breaks.
enum Manifest {
  struct Valid: Sendable, CustomTestStringConvertible {
    let file: String
    let json: JSON
    var testDescription: String { file }
    var path: String { Fixture.path("gguf/valid/\(file)") }
  }

  struct Invalid: Sendable, CustomTestStringConvertible {
    let path: String
    let code: GGUFError.Code
    var testDescription: String { "\(FileSystem.baseName(path)): \(code)" }
  }

  static let valid: [Valid] = entries("valid").map { Valid(file: $0["file"]?.string ?? "", json: $0) }
  static let invalid = refused("invalid", key: "file", in: "invalid")
  static let badSets = refused("badSets", key: "open", in: "sets")

  private static func refused(_ section: String, key: String, in folder: String) -> [Invalid] {
    entries(section).map { entry in
      guard let name = entry[key]?.string, let code = entry["code"]?.string.flatMap(GGUFError.Code.init(rawValue:))
      else {
        fatalError("\(entry) in the manifest names no error code")
      }
      return Invalid(path: Fixture.path("gguf/\(folder)/\(name)"), code: code)
    }
  }

  private static func entries(_ section: String) -> [JSON] { root[section]?.array ?? [] }

  private static let root: JSON = {
    do {
      return try JSON(parsing: FileSystem.read(Fixture.path("gguf/manifest.json")))
    } catch {
      fatalError("\(error)")
    }
  }()
}

/// A value spelled as in the manifest: `[type, value]` or `["arr", element type, [values]]`.
func spelled(_ value: GGUFValue) -> [JSON] {
  guard let array = value.array else { return [.string(value.type.description), spelledScalar(value)] }
  return [
    .string(value.type.description), .string(array.elementType.description),
    .array(array.prefix(array.count).map(spelledScalar)),
  ]
}

private func spelledScalar(_ value: GGUFValue) -> JSON {
  switch value {
  case .float32(let value): .string(String(value.bitPattern, radix: 16))
  case .float64(let value): .string(String(value.bitPattern, radix: 16))
  case .bool(let value): .string(value ? "1" : "0")
  case .string(let value): .string(value.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
  default: .string(value.description)
  }
}
