import MTConvTestSupport
import SafetensorsFormat
import TensorFormats

/// The tensors of a safetensors file by name.
struct TensorTable {
  let file: SafetensorsFile

  init(_ path: String) throws { file = try SafetensorsFile(path: path) }

  init(fixture: String) throws { try self.init(Fixture.path(fixture)) }

  var names: Set<String> { Set(file.tensors.map(\.name)) }

  func info(_ name: String) throws -> TensorInfo { try file.entry(name).info }

  func bytes(_ name: String) throws -> [UInt8] {
    try file.withBytes(of: file.entry(name)) { Array($0) }
  }

  func floats(_ name: String) throws -> [Float] {
    let info = try info(name)
    guard let codec = info.format.codec else { throw TensorError.notDecodable(info.format) }
    var values = [Float](repeating: 0, count: info.shape.reduce(1, *))
    try bytes(name).withUnsafeBytes { bytes in values.withUnsafeMutableBufferPointer { codec.decode(bytes, into: $0) } }
    return values
  }

  /// Rows of a matrix of 64-bit integers.
  func sequences(_ name: String) throws -> [[Int]] {
    let width = try info(name).shape.last ?? 1
    let values = try bytes(name).withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map { Int(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
    }
    return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }
}
