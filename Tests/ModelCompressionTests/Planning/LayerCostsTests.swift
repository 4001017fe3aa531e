import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import Testing

@testable import ModelCompression

@Suite struct LayerCostsTests {
  private static let unknown = Double.nan
  /// Layers 1 and 3 cost least alone, layers 2–3 together.
  static let costs = LayerCosts(
    .loss, runs: [[9, 12, unknown, unknown], [1, 6, unknown], [3, 2], [2]])

  private static let choices: [(count: Int, isContiguous: Bool, dropped: [Int])] = [
    (0, false, []), (0, true, []), (1, false, [1]), (1, true, [1]), (2, false, [1, 3]), (2, true, [2, 3]),
    (3, false, [1, 2, 3]),
  ]

  @Test(arguments: choices) func dropsWhatCostsLeast(_ choice: (count: Int, isContiguous: Bool, dropped: [Int])) throws
  {
    #expect(try Self.costs.cheapest(choice.count, isContiguous: choice.isContiguous) == choice.dropped)
  }

  @Test func saysWhatWasNotMeasured() {
    let error = #expect(throws: CompressionError.self) { try Self.costs.cheapest(3, isContiguous: true) }
    #expect(
      error?.message == "the loss over runs of 3 layers was not measured; calibrate measures it with --layer-loss 3")
  }

  @Test(arguments: [-1, 4, .min, .max]) func refusesToDropWhatIsNotThere(_ count: Int) {
    #expect(throws: CompressionError(.invalidPlan, "")) { try Self.costs.cheapest(count, isContiguous: false) }
  }

  @Test func ofEqualLayersTheLaterGo() throws {
    let costs = LayerCosts(.loss, runs: [[1, 2, 3], [1, 2], [1]])
    #expect(try costs.cheapest(1, isContiguous: false) == [2])
    #expect(try costs.cheapest(2, isContiguous: true) == [0, 1])
  }

  /// Statistics whose only content is of layers.
  private func statistics(_ losses: LayerLosses?) -> ActivationStatistics {
    ActivationStatistics(
      layers: Array(repeating: [:], count: 3), finalHidden: ChannelStatistics(channelCount: 0),
      influence: BlockInfluence(scores: [0.5, 0.1, 0.2], tokenCount: 1),
      angularDistances: [[0.3, 0.1, 0.4], [0.1, 0.5], [0.2]], layerLosses: losses, tokenCount: 1, sequenceCount: 1)
  }

  @Test func comeFromStatistics() throws {
    let losses = LayerLosses(baseline: 2, tokenCount: 1, losses: [1: [4, 2.5, 3], 2: [5, 2.25]])
    let statistics = statistics(losses)
    let influence = try LayerCosts(.blockInfluence, from: statistics)
    #expect(influence.singles == [0.5, 0.1, 0.2])
    #expect(abs(influence[1, 2]! - 0.3) < 1e-12)
    #expect(try LayerCosts(.angularDistance, from: statistics).cheapest(2, isContiguous: true) == [0, 1])
    let loss = try LayerCosts(.loss, from: statistics)
    #expect(loss.singles == [2, 0.5, 1])
    #expect(loss[1, 2] == 0.25)
    #expect(loss[0, 3] == nil)
    // The exponential ranks the same.
    let perplexity = try LayerCosts(.perplexity, from: statistics)
    for count in 1...2 {
      for isContiguous in [false, true] {
        #expect(
          try perplexity.cheapest(count, isContiguous: isContiguous) == loss.cheapest(count, isContiguous: isContiguous)
        )
      }
    }
  }

  @Test func saysThatLossesWereNotMeasured() {
    let error = #expect(throws: CompressionError.self) { try LayerCosts(.loss, from: statistics(nil)) }
    #expect(error?.message.contains("--layer-loss") == true)
    #expect(throws: CompressionError(.invalidPlan, "")) { try LayerCosts(.task, from: statistics(nil)) }
  }

  @Test func criteriaAreComparedWithThePlan() throws {
    let statistics = statistics(LayerLosses(baseline: 2, tokenCount: 1, losses: [1: [4, 2.5, 3], 2: [5, 2.25]]))
    let costs = try [PruningPlan.Criterion.blockInfluence, .angularDistance, .loss].map {
      try LayerCosts($0, from: statistics)
    }
    let comparison = DepthComparison(dropping: 2, of: costs, chosen: [1, 2])
    #expect(comparison.choices.map(\.dropped) == [[1, 2], [1, 2], [1, 2], [0, 1], [1, 2], [1, 2]])
    #expect(comparison.choices.map(\.isContiguous) == [false, true, false, true, false, true])
    #expect(comparison.choices.map(\.sharedWithPlan) == [2, 2, 2, 1, 2, 2])
    #expect(comparison.choices[5].cost == 0.25)
    #expect(comparison.distinct == [[1, 2], [0, 1]])
  }

  /// A layer that does nothing costs nothing in any task.
  @Test func aTaskFindsTheLayerThatDoesNothing() throws {
    var model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    model = try model.keeping(layers: [0, 4, 8, 11])
    for name in ["self_attn.o_proj", "mlp.down_proj"] {
      model = try model.changing("model.layers.2.\(name).weight") { values in
        for index in values.indices { values[index] = 0 }
      }
    }
    let items = [("In the beginning God", " created"), ("And the LORD said unto", " Moses")].map { context, right in
      TaskItem(
        choices: [right, " xqz"].map {
          TaskItem.Choice(context: context, continuation: $0, length: $0.unicodeScalars.count - 1)
        }, answer: 0)
    }
    let questions = try TaskSet(.arc, items: items, for: model)
    let costs = try LayerCosts(of: model, on: questions, lengths: [1, 2])
    #expect(abs(costs[2, 1]!) < 1e-6)
    #expect(costs.criterion == .task)
    #expect([costs[0, 1], costs[1, 2]].allSatisfy { $0?.isFinite == true })
    #expect(costs[0, 3] == nil)
  }
}
