// From Sources/ModelCheckpoints/README.md.
import ModelCheckpoints
import TensorFormats

func modelCheckpointsExample() throws {
  let model = try Checkpoint(path: "SmolLM2-135M-Instruct.Q4_1.gguf")
  print(model.architecture.name, model.parameterCount, model.mainFormat)

  try model.converted(to: .bf16, for: .huggingFace).write(to: "SmolLM2", as: .huggingFace)
}
