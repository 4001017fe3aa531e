import MTConvTestSupport
import ModelArchitectures
import TensorFormats
import Testing

@testable import ModelCompute

@Suite("A block, step by step")
struct BlockPassTests {
  private static let batch = TokenBatch(NetworkPropertyTests.sequences)

  /// A pass over all sequences at once, and over one after the other with everything but the weights on the disk.
  enum Waiting: CaseIterable, Sendable {
    case inMemory, onDisk

    func pass(_ block: Block, _ input: Matrix, _ folder: TemporaryFolder) throws -> BlockPass {
      let store = try self == .inMemory ? MatrixStore() : MatrixStore(folder: folder.path, memoryLimit: 0)
      let groups = batch.split(rows: self == .inMemory ? 1024 : 1)
      var row = 0
      let parts = try groups.map { group in
        defer { row += group.rows }
        return try store.keep(input.copy(rows: row..<row + group.rows))
      }
      return BlockPass(block, parts, groups: groups, store: store)
    }
  }

  @Test(arguments: Model.all, Waiting.allCases)
  func stepsGiveWhatTheWholeBlockGives(_ model: Model, _ waiting: Waiting) throws {
    let network = model.network()
    let input = try network.embed(Self.batch)
    let block = try network.block(0)
    let whole = try block.forward(input, batch: Self.batch)
    let folder = TemporaryFolder()
    var pass = try waiting.pass(block, input, folder)
    var seen: [Site] = []
    for step in pass.steps.indices {
      try pass.preview(pass.steps.count - pass.position) { view in
        #expect(normalisedError(view[.blockOutput].values, whole.view(rows: view.rows).values) < 1e-12)
      }
      try pass.advance(to: step) { site, group, _ in if group == 0 { seen.append(site) } }
    }
    #expect(seen == pass.steps.dropLast().map(\.output))
    let output = try pass.finish().joined()
    #expect(normalisedError(output.values, whole.values) < 1e-12)
  }

  @Test(arguments: Model.all, Waiting.allCases)
  func aReplacedWeightCountsFromThereOn(_ model: Model, _ waiting: Waiting) throws {
    let network = model.network()
    let input = try network.embed(Self.batch)
    let folder = TemporaryFolder()
    var pass = try waiting.pass(network.block(0), input, folder)
    let step = try #require(pass.steps.firstIndex { $0.inputs == [.feedForwardInner] })
    let key = WeightKey(.down, layer: 0)
    var changed = model.weights
    changed[key].values = changed[key].values.map { 2 * $0 }
    let doubled = Matrix(rows: changed[key].shape[0], columns: changed[key].shape[1], changed[key].values)
    try pass.advance(to: step)
    let expected = try Network(
      architecture: network.architecture, hyperparameters: network.hyperparameters, weights: changed
    ).run(Self.batch, from: input, layers: 0..<1)
    try pass.preview(pass.steps.count - step, replacing: [key: doubled]) { view in
      #expect(normalisedError(view[.blockOutput].values, expected.view(rows: view.rows).values) < 1e-12)
    }
    pass.replace(key, with: doubled)
    let output = try pass.finish().joined()
    #expect(normalisedError(output.values, expected.values) < 1e-12)
  }

  /// What waits on the disk is what was put there, bit by bit, and its place is used again.
  @Test func aStoreKeepsWhatItIsGiven() throws {
    let folder = TemporaryFolder()
    let store = try MatrixStore(folder: folder.path, memoryLimit: 100)
    var kept: [(StoredMatrix, [Float])] = []
    for round in 0..<40 {
      let values = (0..<12).map { Float(100 * round + $0) }
      kept.append((try store.keep(Matrix(rows: 3, columns: 4, values)), values))
      if round.isMultiple(of: 3) { kept.remove(at: kept.count / 2) }
      for (matrix, values) in kept { #expect(try matrix.load().array == values) }
    }
    #expect(try FileSystem.names(in: folder.path).isEmpty)
    #expect(throws: FileError.self) { try MatrixStore(folder: folder.path + "/none") }
  }
}

extension [StoredMatrix] {
  fileprivate func joined() throws -> Matrix {
    let values = try flatMap { try $0.load().array }
    return Matrix(rows: reduce(0) { $0 + $1.rows }, columns: self[0].columns, values)
  }
}
