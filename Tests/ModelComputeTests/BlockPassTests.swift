import ModelArchitectures
import Testing

@testable import ModelCompute

@Suite("A block, step by step")
struct BlockPassTests {
  private let batch = TokenBatch(NetworkPropertyTests.sequences)

  @Test(arguments: Model.all)
  func stepsGiveWhatTheWholeBlockGives(_ model: Model) throws {
    let network = model.network()
    let input = try network.embed(batch)
    let before = input.array
    let block = try network.block(0)
    let whole = try block.forward(input, batch: batch)
    var pass = BlockPass(block, input, batch: batch)
    var seen: [Site] = []
    for step in pass.steps.indices {
      try pass.preview(pass.steps.count - pass.position) { view in
        #expect(view[.blockOutput].array == whole.view(rows: view.rows).array)
      }
      try pass.advance(to: step) { site, _, _ in seen.append(site) }
    }
    #expect(try pass.finish().array == whole.array)
    #expect(seen == pass.steps.dropLast().map(\.output))
    #expect(input.array == before)
  }

  @Test(arguments: Model.all)
  func aReplacedWeightCountsFromThereOn(_ model: Model) throws {
    let network = model.network()
    let input = try network.embed(batch)
    var pass = BlockPass(try network.block(0), input, batch: batch)
    let step = try #require(pass.steps.firstIndex { $0.inputs == [.feedForwardInner] })
    let key = WeightKey(.down, layer: 0)
    var changed = model.weights
    changed[key].values = changed[key].values.map { 2 * $0 }
    let doubled = Matrix(rows: changed[key].shape[0], columns: changed[key].shape[1], changed[key].values)
    try pass.advance(to: step)
    let expected = try Network(
      architecture: network.architecture, hyperparameters: network.hyperparameters, weights: changed
    ).run(batch, from: input, layers: 0..<1)
    try pass.preview(pass.steps.count - step, replacing: [key: doubled]) { view in
      #expect(view[.blockOutput].array == expected.view(rows: view.rows).array)
    }
    pass.replace(key, with: doubled)
    #expect(try pass.finish().array == expected.array)
  }
}
