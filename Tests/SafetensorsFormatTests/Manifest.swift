import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

/// What the generator wrote down about the fixtures.
enum Manifest {
  struct Valid: CustomTestStringConvertible {
    let name: String
    /// Format, shape and bytes of each tensor, as the reference reads them.
    let tensors: [String: (format: String, shape: [Int], bytes: [UInt8])]
    let metadata: [String: String]
    let warnings: [String]

    var path: String { Fixture.path("safetensors/valid/\(name).safetensors") }
    var testDescription: String { name }
  }

  struct Invalid: CustomTestStringConvertible {
    let name: String
    let code: String

    var path: String { Fixture.path("safetensors/invalid/\(name).safetensors") }
    var testDescription: String { name }
  }

  static let valid: [Valid] = members(of: "valid").map { name, value in
    var tensors: [String: (format: String, shape: [Int], bytes: [UInt8])] = [:]
    for tensor in value["tensors"]?.array ?? [] {
      let fields = tensor.array ?? []
      tensors[fields[0].string!] = (
        fields[1].string!, fields[2].array!.map { $0.int! }, bytes(hexadecimal: fields[3].string!)
      )
    }
    let metadata = value["metadata"]!.object!.map { ($0.key, $0.value.string!) }
    return Valid(
      name: name, tensors: tensors, metadata: Dictionary(uniqueKeysWithValues: metadata),
      warnings: value["warnings"]!.array!.map { $0.string! })
  }

  static let invalid: [Invalid] = members(of: "invalid").map { Invalid(name: $0, code: $1["code"]!.string!) }

  private static func members(of group: String) -> [(String, JSON)] {
    json("safetensors/manifest.json")[group]!.object!.map { ($0.key, $0.value) }
  }

  static func json(_ fixture: String) -> JSON {
    try! JSON(parsing: FileSystem.read(Fixture.path(fixture)))
  }
}

func bytes(hexadecimal text: String) -> [UInt8] {
  let digits = text.map { UInt8($0.hexDigitValue!) }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
