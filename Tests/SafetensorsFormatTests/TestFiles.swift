import MTConvTestSupport
import SafetensorsFormat
import TensorFormats

extension TemporaryFolder {
  /// A safetensors file of F32 tensors that are filled with one byte each.
  @discardableResult
  func writeTensors(_ tensors: [(name: String, count: Int, fill: UInt8)], to name: String) throws -> String {
    let infos = tensors.map { TensorInfo(name: $0.name, format: .f32, shape: [$0.count]) }
    let fills = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.fill) })
    let writer = try SafetensorsWriter(tensors: infos)
    let output = try OutputFile(path: file(name))
    try writer.write(to: output) { info, write in
      try [UInt8](repeating: fills[info.name]!, count: info.byteCount!).withUnsafeBytes { try write($0) }
    }
    try output.commit(durable: false)
    return file(name)
  }
}

/// A safetensors file by hand.
func safetensors(_ header: String, data: [UInt8] = []) -> [UInt8] {
  let json = Array(header.utf8)
  return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json + data
}

func parse(_ bytes: [UInt8]) throws(SafetensorsError) -> SafetensorsHeader {
  let result = bytes.withUnsafeBytes { raw in
    Result { () throws(SafetensorsError) in try SafetensorsHeader(parsing: raw, fileSize: raw.count) }
  }
  return try result.get()
}

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
