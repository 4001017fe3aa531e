// From Sources/TensorFormats/README.md.
import TensorFormats

func tensorFormatsExample() throws {
  let file = try MappedFile(path: "weights.bin")
  let codec = ElementFormat.q4_1.codec!
  var row = [Float](repeating: 0, count: 4096)
  file.withBytes(in: 0..<ElementFormat.q4_1.byteCount(of: 4096)!) { bytes in
    row.withUnsafeMutableBufferPointer { codec.decode(bytes, into: $0) }
  }
  let largest = row.withUnsafeBufferPointer { absoluteMaximum(of: $0) }
  var codes = [UInt8](repeating: 0, count: 4096)
  codes.withUnsafeMutableBytes { codes in
    row.withUnsafeBufferPointer { Float8E4M3.encode($0, dividingBy: largest.value / Float8E4M3.maximum, into: codes) }
  }
}
