import MTConvTestSupport
import TensorFormats

/// A JSON file of Fixtures/architectures.
func oracle(_ name: String) throws -> JSON {
  try JSON(parsing: FileSystem.read(Fixture.path("architectures/\(name).json")))
}

/// FNV-1a over bytes, as the oracles give it: 16 hexadecimal digits.
func checksum(_ bytes: [UInt8]) -> String {
  var value: UInt64 = 0xCBF2_9CE4_8422_2325
  bytes.withUnsafeBytes { for byte in $0 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 } }
  let text = String(value, radix: 16)
  return String(repeating: "0", count: 16 - text.utf8.count) + text
}

func checksum(_ values: [Float]) -> String { checksum(values.withUnsafeBytes { Array($0) }) }
