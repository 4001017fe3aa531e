import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import TensorFormats
import Testing

@Suite struct StatisticsFileTests {
  private func file(of name: String) throws -> StatisticsFile {
    let model = try Checkpoint(path: Fixture.path("models/\(name)-pico"))
    let set = CalibrationSet.random(for: model, context: 16, count: 3)
    let settings = StatisticsFile.Settings(
      model: Recipe.Parent(model), text: "random", context: 16, sequences: 3, tokens: set.tokenCount)
    return StatisticsFile(settings: settings, statistics: try ActivationStatistics(of: model, on: set))
  }

  // phi has no second norm in a block, so no statistics at its output.
  @Test(arguments: ["llama", "phi"]) func survivesAFile(name: String) throws {
    let folder = TemporaryFolder()
    let file = try file(of: name)
    let path = folder.file("stats.safetensors")
    try file.write(to: path)
    #expect(try StatisticsFile(path: path) == file)
    #expect(throws: FileError(.exists, "")) { try file.write(to: path) }
  }

  @Test func keepsTheLossesOfSkippedLayers() throws {
    let folder = TemporaryFolder()
    var file = try file(of: "llama")
    let losses = LayerLosses(baseline: 2.5, tokenCount: 48, losses: [1: [3, 4, 5], 2: [.infinity, 7]])
    file.statistics.layerLosses = losses
    try file.write(to: folder.file("stats.safetensors"))
    let read = try StatisticsFile(path: folder.file("stats.safetensors"))
    #expect(read == file)
    #expect(read.statistics.layerLosses?[first: 1, count: 2] == 7)
  }

  @Test func refusesAFileOfSomethingElse() throws {
    #expect(throws: CompressionError(.wrongStatistics, "")) {
      try StatisticsFile(path: Fixture.path("models/llama-pico/model.safetensors"))
    }
  }
}
