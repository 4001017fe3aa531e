import ModelArchitectures
import Synchronization
import TensorFormats
import Testing

@testable import ModelCompute

struct NetworkTests {
  private let model = Model(.llama)
  private let batch = TokenBatch([[5, 0, 17, 36, 2], [7, 1]])

  // MARK: Batches

  @Test func batchesCountPositionsFromTheirOffset() {
    let batch = TokenBatch([[4, 5, 6], [], [7]], positionOffset: 10)
    #expect(batch.rows == 4)
    #expect(batch.positions == [10, 11, 12, 10])
    #expect(batch.sequences == [0..<3, 3..<3, 3..<4])
    #expect(batch[sequences: 1..<3].tokens == [7])
    #expect(batch[sequences: 1..<3].sequences == [0..<0, 0..<1])
  }

  @Test func groupsHoldWholeSequencesUpToALimit() {
    let batch = TokenBatch([3, 3, 9, 1, 2, 2].map { Array(repeating: 0, count: $0) })
    #expect(batch.groups(ofRows: 4) == [0..<1, 1..<2, 2..<3, 3..<5, 5..<6])
    #expect(batch.groups(ofRows: 100) == [0..<6])
    #expect(TokenBatch([]).groups(ofRows: 4).isEmpty)
  }

  @Test func anEmptyBatchHasNoLogits() throws {
    let logits = try model.network().logits([])
    #expect(logits.rows == 0)
  }

  // MARK: Sites

  @Test func everySiteOfABlockIsObservedOnceInOrder() throws {
    let network = model.network()
    var seen: [Site] = []
    _ = try network.run(
      batch, layers: 1..<2, observing: Set(Site.allCases),
      observer: {
        #expect($0.layer == 1)
        #expect($0.rows == 0..<7)
        seen.append($0.site)
      })
    #expect(seen == [.blockInput] + network.program.blocks[1].map(\.output))
  }

  @Test func observersOfLargeBatchesSeeEveryRowOnce() throws {
    let sequences = (0..<30).map { sequence in (0..<100).map { ($0 * 7 + sequence) % 37 } }
    var sizes = model.sizes
    sizes.layerCount = 1
    let network = Network(architecture: .llama, hyperparameters: sizes, weights: model.weights)
    var rows: [Range<Int>] = []
    let output = try network.run(
      TokenBatch(sequences), observing: [.blockOutput], observer: { rows.append($0.rows) })
    #expect(rows.flatMap { Array($0) } == Array(0..<3000))
    #expect(rows.count > 1)
    let alone = try network.run(TokenBatch([sequences[17]]))
    #expect(normalisedError(output.view(rows: 1700..<1800).values, alone.values) < 1e-10)
  }

  /// Sequences enough for every worker to take some alone, and one more.
  private static let many = TokenBatch(
    (0...processorCount * 2).map { sequence in (0..<300).map { ($0 * 5 + sequence) % 37 } })

  @Test func workersWithSequencesOfTheirOwnAreObservedInOrder() throws {
    let network = model.network()
    let (batch, observed) = (Self.many, [Site.blockInput, .query, .blockOutput])
    let input = try network.run(batch, layers: 0..<1)
    var seen: [(Site, Range<Int>)] = []
    var starts: [Float] = []
    let output = try network.run(
      batch, from: input, layers: 1..<2, observing: Set(observed),
      observer: {
        seen.append(($0.site, $0.rows))
        if $0.site == .blockInput { starts += $0.values.array }
      })
    #expect(starts == input.array)
    let sites = seen.map(\.0)
    #expect(sites == (0..<sites.count).map { observed[$0 % observed.count] })
    for site in observed {
      #expect(seen.filter { $0.0 == site }.flatMap { Array($0.1) } == Array(0..<batch.rows))
    }
    // A step that all workers share, one sequence at a time.
    for (tokens, rows) in zip(batch.split(rows: 300), batch.sequences) {
      let alone = try network.run(tokens, from: input.view(rows: rows), layers: 1..<2)
      #expect(normalisedError(alone.values, output.view(rows: rows).values) < 1e-10)
    }
  }

  @Test func whatAnObserverThrowsStopsAllWorkers() {
    struct Broken: Error, Equatable {}
    var calls = 0
    #expect(throws: Broken()) {
      try model.network().run(
        Self.many, observing: [.blockOutput],
        observer: { _ in
          calls += 1
          if calls == 2 { throw Broken() }
        })
    }
    #expect(calls == 2)
  }

  @Test func aReplacedSiteIsWhatLaterStepsRead() throws {
    let network = model.network()
    var input: [Float] = []
    let output = try network.run(
      batch, layers: 0..<1, observing: [.attentionResidual, .feedForwardOutput],
      observer: { if $0.site == .attentionResidual { input = $0.values.array } },
      replacing: [.feedForwardOutput: { Matrix.zeros(rows: $0.rows, columns: $0.columns) }])
    #expect(output.array == input)
  }

  @Test func progressCountsBlocks() throws {
    var calls: [[Int]] = []
    _ = try model.network().run(batch, layers: 1..<3, progress: { calls.append([$0, $1]) })
    #expect(calls == [[1, 2], [2, 2]])
  }

  @Test(arguments: [false, true])
  func aCancelledTaskStopsTheRun(isLarge: Bool) async {
    let network = model.network()
    let batch = isLarge ? Self.many : batch
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try network.run(batch).rows
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  // MARK: Errors

  @Test(arguments: [-1, 37])
  func refusesTokensOutsideTheVocabulary(_ token: Int) {
    let error = #expect(throws: ComputeError(.token, "")) { try model.network().logits([3, token]) }
    #expect(error?.description == "token \(token): expected 0 to 36")
  }

  @Test func refusesWeightsOfAnotherShape() {
    var model = model
    model.weights[WeightKey(.down, layer: 2)].shape = [24, 21]
    let error = #expect(throws: ComputeError(.shape, "")) { try model.network().logits([3]) }
    #expect(error?.description == "weight 'layers.2.down.weight': expected shape [24, 20], found [24, 21]")
  }

  @Test func refusesSizesThatNoModelHas() {
    func refuses(_ change: (inout Hyperparameters) -> Void) {
      var model = model
      change(&model.sizes)
      #expect(throws: ComputeError(.hyperparameters, "")) { try model.network().logits([3]) }
    }
    refuses { $0.keyValueHeadCount = 3 }
    refuses { $0.hiddenSize = 0 }
    refuses { $0.rotary.dimension = 10 }
    refuses { $0.rotary.dimension = 3 }
    refuses { $0.slidingWindow = 0 }
  }

  @Test func passesOnWhatTheSourceThrows() {
    var model = model
    model.weights.tensors[WeightKey(.keyNorm, layer: 0)] = nil
    model.weights.tensors[WeightKey(.gate, layer: 1)] = nil
    #expect(throws: MemoryWeights.Missing.self) { try model.network().logits([3]) }
  }

  // MARK: Weights

  @Test func aPanelledHeadGivesWhatAWholeOneGives() throws {
    var generator = SeededGenerator(state: 31)
    let key = WeightKey(.head)
    let weights = MemoryWeights(tensors: [key: .init(shape: [37, 24], values: generator.values(37 * 24, in: -1...1))])
    let dense = DenseOperator(weight: Matrix(rows: 37, columns: 24, weights[key].values))
    let panelled = PanelledOperator(
      source: weights, key: key, outputCount: 37, inputCount: 24, rowsPerPanel: 10,
      workspace: Workspace())
    let input = Matrix(rows: 5, columns: 24, generator.values(120, in: -1...1))
    let gradient = Matrix(rows: 5, columns: 37, generator.values(185, in: -1...1))
    let outputs = [Matrix(rows: 5, columns: 37), Matrix(rows: 5, columns: 37)]
    dense.apply(to: input, into: outputs[0])
    try panelled.apply(to: input, into: outputs[1])
    #expect(normalisedError(outputs[1].values, outputs[0].values) < 1e-12)
    let inputs = [input.copy(), input.copy()]
    for isAdded in [false, true] {
      dense.applyTransposed(to: gradient, into: inputs[0], isAdded: isAdded)
      try panelled.applyTransposed(to: gradient, into: inputs[1], isAdded: isAdded)
      #expect(normalisedError(inputs[1].values, inputs[0].values) < 1e-12)
    }
  }

  @Test func embeddingsDecodeOnlyTheRowsOfTheirTokens() throws {
    let source = CountingWeights(weights: model.weights)
    let network = Network(architecture: .llama, hyperparameters: model.sizes, weights: source)
    _ = try network.embed(TokenBatch([[4, 4, 30]]))
    #expect(source.rows.withLock { $0 } == 3)
  }

  @Test func aSourceMayMultiplyInItsOwnWay() throws {
    struct Doubled: WeightSource {
      let weights: MemoryWeights
      func shape(of key: WeightKey) throws -> [Int] { try weights.shape(of: key) }
      func decode(_ key: WeightKey, rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
        try weights.decode(key, rows: rows, into: values)
      }
      func linearOperator(for key: WeightKey) -> (any LinearOperator)? {
        guard key.role == .down else { return nil }
        let tensor = weights[key]
        return DenseOperator(
          weight: Matrix(rows: tensor.rowCount, columns: tensor.rowWidth, tensor.values.map { 2 * $0 }))
      }
    }
    var changed = model
    for layer in 0..<3 {
      let key = WeightKey(.down, layer: layer)
      changed.weights[key].values = changed.weights[key].values.map { 2 * $0 }
    }
    let network = Network(
      architecture: .llama, hyperparameters: model.sizes, weights: Doubled(weights: model.weights))
    #expect(try network.run(batch).array == changed.network().run(batch).array)
  }
}

/// Counts the rows that are decoded.
private final class CountingWeights: WeightSource {
  let weights: MemoryWeights
  let rows = Mutex(0)

  init(weights: MemoryWeights) { self.weights = weights }

  func shape(of key: WeightKey) throws -> [Int] { try weights.shape(of: key) }

  func decode(_ key: WeightKey, rows: Range<Int>, into values: UnsafeMutableBufferPointer<Float>) throws {
    self.rows.withLock { $0 += rows.count }
    try weights.decode(key, rows: rows, into: values)
  }
}
