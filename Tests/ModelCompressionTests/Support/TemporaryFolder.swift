import Foundation
import SafetensorsFormat
import TensorFormats

/// A folder of its own for a test, removed when the object goes.
final class TemporaryFolder {
  let path = NSTemporaryDirectory() + "/compression-\(UUID().uuidString)"

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// Changes one byte of a file.
  func flip(byte offset: Int, of name: String) throws {
    var data = try Data(contentsOf: URL(fileURLWithPath: file(name)))
    data[offset] ^= 1
    try data.write(to: URL(fileURLWithPath: file(name)))
  }
}

extension TemporaryFolder {
  /// Writes a safetensors file again without one of its tensors.
  func rewrite(_ name: String, dropping tensor: String) throws {
    let table = try TensorTable(file(name))
    let kept = table.file.tensors.map(\.info).filter { $0.name != tensor }
    let bytes = try kept.map { try table.bytes($0.name) }
    let writer = try SafetensorsWriter(tensors: kept)
    let output = try OutputFile(path: file(name), overwrite: true, expectedSize: writer.fileSize)
    try writer.write(to: output) { info, sink in
      let index = kept.firstIndex { $0.name == info.name }!
      try bytes[index].withUnsafeBytes { try sink($0) }
    }
    try output.commit(durable: false)
  }
}
