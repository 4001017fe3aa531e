// From Sources/ModelCompression/README.md.
import ModelCheckpoints
import ModelCompression

func compress(_ path: String, to output: String, reading text: String) throws -> Double {
  let model = try Checkpoint(path: path)
  let calibration = try CalibrationSet(text: text, model: model, context: 512, limit: 32)
  var request = Compressor.Request()
  request.keptLayerCount = model.hyperparameters.layerCount - 4
  request.quantization = QuantizationScheme()
  let compressor = Compressor(request)
  let recipe = try compressor.plan(for: model, calibration: calibration)
  return try compressor.write(recipe, of: model, to: output, heldOut: calibration).report.quality.perplexityRatio
}
