import MTConvTestSupport
import SafetensorsFormat
import TensorFormats

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
