/// FNV-1a over bytes, as the manifests of the fixtures give it: 16 hexadecimal digits.
func checksum(_ bytes: UnsafeRawBufferPointer) -> String {
  var value: UInt64 = 0xCBF2_9CE4_8422_2325
  for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
  let text = String(value, radix: 16)
  return String(repeating: "0", count: 16 - text.utf8.count) + text
}

func checksum<Element>(of elements: [Element]) -> String { elements.withUnsafeBytes { checksum($0) } }
