import TensorFormats

/// The F32 and I64 tensors of a safetensors file that is known to be good.
struct PlainSafetensors {
  private var tensors: [String: (shape: [Int], values: [Float])] = [:]

  subscript(name: String) -> (shape: [Int], values: [Float]) {
    guard let tensor = tensors[name] else { preconditionFailure("no tensor '\(name)'") }
    return tensor
  }

  init(_ path: String) throws {
    let bytes = try FileSystem.read(path)
    let length = Int(Self.number(bytes[0..<8]))
    let header = try JSON(parsing: Array(bytes[8..<8 + length]))
    for (name, entry) in header.object! where name != "__metadata__" {
      let shape = entry["shape"]!.array!.map { $0.int! }
      let offsets = entry["data_offsets"]!.array!.map { 8 + length + $0.int! }
      let data = bytes[offsets[0]..<offsets[1]]
      let width = entry["dtype"]!.string! == "I64" ? 8 : 4
      tensors[name] = (
        shape,
        stride(from: data.startIndex, to: data.endIndex, by: width).map { start in
          let bits = Self.number(data[start..<start + width])
          return width == 8 ? Float(bits) : Float(bitPattern: UInt32(bits))
        }
      )
    }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
