import MTConvTestSupport
import ModelCheckpoints
import Synchronization
import TensorFormats
import Testing

@testable import ModelCompression

@Suite struct CalibrationTests {
  /// Sequences of many lengths, more tokens than go through a block at once.
  static func sequences(for model: Checkpoint) -> CalibrationSet {
    let random = CalibrationSet.random(for: model, context: 64, count: 30).sequences
    return CalibrationSet(sequences: random.enumerated().map { Array($1.prefix(64 - $0)) })
  }

  /// The file that the statistics make, byte for byte.
  private func bytes(_ statistics: ActivationStatistics, of model: Checkpoint) throws -> [UInt8] {
    let folder = TemporaryFolder()
    let settings = try StatisticsFile.Settings(of: model, on: Self.sequences(for: model))
    try StatisticsFile(settings: settings, statistics: statistics).write(to: folder.file("stats"))
    return try folder.bytes(of: "stats")
  }

  /// Statistics of a broken model would rank its layers and neurons all the same.
  @Test(arguments: [Float.nan, .infinity, 3e38]) func aModelThatIsNotFiniteIsRefusedByTheLayer(value: Float) throws {
    let name = "model.layers.1.mlp.down_proj.weight"
    let broken = try Pico.checkpoint("llama").changing(name) { for index in $0.indices { $0[index] = value } }
    let set = Self.sequences(for: broken)
    let error = #expect(throws: CompressionError.self) { try ActivationStatistics(of: broken, on: set) }
    #expect(error?.code == .nonFiniteActivation && error?.message.hasPrefix("layer 1 of ") == true)
    #expect(throws: CompressionError(.nonFiniteActivation, "")) {
      try LayerLossMeasurement(of: broken, on: set, lengths: [1]).run()
    }
  }

  @Test(arguments: ["llama", "gemma2"]) func theStreamMayWaitInFiles(_ family: String) throws {
    let folder = TemporaryFolder()
    let model = try Pico.checkpoint(family)
    let set = Self.sequences(for: model)
    #expect(set.tokenCount > 1024)
    let expected = try ActivationStatistics(of: model, on: set)
    let work = try CalibrationWork(path: folder.file("work"), key: "k")
    let result = try Calibration(of: model, on: set, work: work).run()
    #expect(result == expected)
    #expect(try bytes(result, of: model) == bytes(expected, of: model))
    try work.remove()
    #expect(try folder.names() == [])
  }

  @Test(arguments: 1...4) func aRunThatWasStoppedGoesOnToTheSameBytes(afterBlocks count: Int) async throws {
    let folder = TemporaryFolder()
    let model = try Pico.checkpoint("gemma2")
    let set = Self.sequences(for: model)
    let expected = try ActivationStatistics(of: model, on: set)
    let path = folder.file("work")

    let stopped = await Task {
      let work = try CalibrationWork(path: path, key: "k")
      return try Calibration(of: model, on: set, work: work).run { progress in
        if progress.completed == count { withUnsafeCurrentTask { $0?.cancel() } }
      }
    }.result
    #expect(throws: CancellationError.self) { try stopped.get() }

    let seen = ProgressLog()
    let result = try Calibration(of: model, on: set, work: CalibrationWork(path: path, key: "k"))
      .run(progress: seen.handler)
    #expect(seen.entries.map(\.completed) == Array(count..<4).map { $0 + 1 })
    #expect(result == expected)
    #expect(try bytes(result, of: model) == bytes(expected, of: model))
  }

  @Test func lossesOfSkippedLayersGoOnWhereTheyStopped() async throws {
    let folder = TemporaryFolder()
    let (model, set) = (try Pico.checkpoint("llama"), try Pico.tokens())
    let measurement = try LayerLossMeasurement(of: model, on: set, memoryLimit: 1)
    let expected = try measurement.run()
    let path = folder.file("work")
    let stopped = await Task {
      try measurement.run(work: CalibrationWork(path: path, key: "k")) { progress in
        // In the second of two groups.
        if progress.completed == progress.total / 2 + 1 { withUnsafeCurrentTask { $0?.cancel() } }
      }
    }.result
    #expect(throws: CancellationError.self) { try stopped.get() }
    let seen = ProgressLog()
    let result = try measurement.run(work: CalibrationWork(path: path, key: "k"), progress: seen.handler)
    #expect(result == expected)
    #expect(seen.entries.first?.completed == seen.entries[0].total / 2 + 1)
  }

  @Test func refusesTheWorkOfAnotherRun() throws {
    let folder = TemporaryFolder()
    let (model, set) = (try Pico.checkpoint("llama"), try Pico.tokens())
    let path = folder.file("work")
    _ = try Calibration(of: model, on: set, work: CalibrationWork(path: path, key: "a")).run()
    let error = #expect(throws: CompressionError.self) { _ = try CalibrationWork(path: path, key: "b") }
    #expect(error?.code == .wrongStatistics)
    #expect(error?.message.contains("another calibration") == true)
  }

  @Test func refusesAStreamThatIsCutShort() throws {
    let folder = TemporaryFolder()
    let (model, set) = (try Pico.checkpoint("llama"), try Pico.tokens())
    let path = folder.file("work")
    _ = try Calibration(of: model, on: set, work: CalibrationWork(path: path, key: "a")).run()
    try folder.write([1, 2, 3], to: "work/stream-1.f32")
    #expect(throws: FileError(.truncated, "")) {
      try Calibration(of: model, on: set, work: CalibrationWork(path: path, key: "a")).run()
    }
  }
}
