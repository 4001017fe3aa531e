// From README.md.
import ModelCheckpoints
import ModelCompression
import TensorFormats

func readmeExample() throws {
  let model = try Checkpoint(path: "SmolLM2-135M-Instruct.Q4_1.gguf")
  let text = try String(decoding: FileSystem.read("text.txt"), as: UTF8.self)
  let calibration = try CalibrationSet(text: text, model: model, context: 512, limit: 32)
  var request = Compressor.Request()
  request.keptLayerCount = 26
  request.quantization = QuantizationScheme()
  let compressor = Compressor(request)
  let recipe = try compressor.plan(for: model, calibration: calibration)
  let result = try compressor.write(recipe, of: model, to: "smaller", heldOut: calibration)
  print(result.report.quality.perplexityRatio)
}
