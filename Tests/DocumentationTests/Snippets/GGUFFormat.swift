// From Sources/GGUFFormat/README.md.
import GGUFFormat
import TensorFormats

func copy(_ input: String, to output: String) throws {
  let model = try GGUFFileSet(path: input)  // any file of a split model, or a single one
  print(model.metadata["general.architecture"]?.string ?? "?", model.tensors.count, "tensors")
  let writer = try GGUFWriter(metadata: model.metadata, tensors: model.tensors.map(\.info))
  let file = try OutputFile(path: output, expectedSize: writer.fileSize)
  try writer.write(to: file) { info, emit in
    if let entry = model[info.name] { try model.withBytes(of: entry, emit) }
  }
  try file.commit()
}
