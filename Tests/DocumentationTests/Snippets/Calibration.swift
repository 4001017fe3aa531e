// From Docs/Calibration.md.
import ModelCheckpoints
import ModelCompression

func calibrate(_ path: String, reading input: TextInput, in folder: String, to output: String) throws {
  let model = try Checkpoint(path: path)
  let set = try CalibrationSet(reading: input, model: model, context: 2048, limit: 1024)
  let settings = try StatisticsFile.Settings(of: model, on: set, text: input.path)
  let work = try CalibrationWork(path: folder, key: settings.workKey())
  let statistics = try Calibration(of: model, on: set, work: work).run()
  try StatisticsFile(settings: settings, statistics: statistics).write(to: output)
  try work.remove()
}
