// From Sources/SafetensorsFormat/README.md.
import OrderedCollections
import SafetensorsFormat
import TensorFormats

func halve(_ source: String, to destination: String) throws {
  let set = try SafetensorsFileSet(path: source)  // a file, an index or a directory
  let halved = set.entries.filter { $0.info.shape.first.map { $0 >= 2 } ?? false }.map { entry in
    TensorInfo(
      name: entry.name, format: entry.info.format, shape: [entry.info.shape[0] / 2] + entry.info.shape.dropFirst())
  }
  let writer = try SafetensorsWriter(tensors: halved, metadata: ["format": "pt"])
  let output = try OutputFile(path: destination, expectedSize: writer.fileSize)
  try writer.write(to: output) { tensor, write in
    let member = try set.member(tensor.name)
    try member.withBytes(in: member.entry.byteRange(ofRows: 0..<tensor.shape[0])) { try write($0) }
  }
  try output.commit()
}
