import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

@Suite struct SizeSolverTests {
  private let model: Checkpoint
  private let output = OutputFormat(.huggingFace, elementFormat: .bf16)

  init() throws { model = try Checkpoint(path: Fixture.path("models/qwen2-pico")) }

  private func space(_ change: (inout SizeSpace.Settings) -> Void = { _ in }) throws -> SizeSpace {
    var settings = SizeSpace.Settings()
    settings.dimensions = Set(SizeSpace.Dimension.allCases)
    settings.alignment = 4
    change(&settings)
    return try SizeSpace(of: model.hyperparameters, in: output, settings: settings)
  }

  private func solver(_ goal: SizeGoal, _ space: SizeSpace) throws -> SizeSolver {
    try SizeSolver(goal, in: space, footprint: FootprintModel(of: model, as: output, context: goal.context ?? 64))
  }

  private static let alignments: [(Int, Int)] = [
    (14336, 256), (9216, 256), (4096, 256), (3072, 128), (2048, 128), (1536, 64), (576, 32), (96, 4), (17, 1),
  ]

  @Test(arguments: alignments) func alignsBySize(_ size: Int, _ unit: Int) {
    #expect(SizeSpace.alignment(of: size, in: output) == unit)
  }

  @Test func alignsToTheBlocksOfTheOutput() {
    let blocks = OutputFormat(.gguf, elementFormat: .q8_0)
    #expect(SizeSpace.alignment(of: 96, in: blocks) == 32)
    let scales = OutputFormat(quantization: QuantizationScheme(kind: .fp8Block))
    #expect(SizeSpace.alignment(of: 1536, in: scales) == 128)
    #expect(SizeSpace.alignment(of: 576, in: scales) == 32)
    // What the parent does not fill, no cut need fill.
    #expect(SizeSpace.alignment(of: 100, in: blocks) == 4)
  }

  @Test func keepsToItsLimits() throws {
    let space = try space {
      $0.maximumDepth = 0.34
      $0.maximumWidth = 0.25
    }
    #expect(space.layers == [3, 2])
    #expect(space.hidden == [48, 44, 40, 36])
    #expect(space.intermediate == [80, 76, 72, 68, 64, 60])
    #expect(space.groupSizes == [3])
    #expect(space.keyValueHeads == [2])
  }

  @Test func cutsOnlyWhatItMay() throws {
    let space = try space { $0.dimensions = [.layers] }
    #expect(space.layers == [3, 2])
    #expect([space.hidden, space.intermediate, space.groupSizes, space.keyValueHeads] == [[48], [80], [3], [2]])
    let fixed = try self.space { $0.fixed = PruningTarget(layers: 1, intermediate: 30, queryHeads: 4) }
    #expect([fixed.layers, fixed.intermediate, fixed.groupSizes] == [[1], [30], [2]])
  }

  private static let badSizes = [
    PruningTarget(layers: 0), PruningTarget(layers: 4), PruningTarget(hidden: 49), PruningTarget(intermediate: -1),
    PruningTarget(queryHeads: 5), PruningTarget(queryHeads: 8), PruningTarget(keyValueHeads: 3),
  ]

  @Test(arguments: badSizes) func refusesGivenSizesThatAreNotThere(_ sizes: PruningTarget) {
    #expect(throws: CompressionError(.invalidPlan, "")) { try space { $0.fixed = sizes } }
  }

  private static let goals: [SizeGoal] = [
    .parameterShare(0.7), .parameters(40_000), .weightBytes(90_000), .memory(bytes: 120_000, context: 200),
    .speedup(1.4, .decode), .speedup(1.3, .prefill),
  ]

  /// Every size of the space, tried one by one: what meets the goal, is near it and lies inside no other is what the solver finds.
  @Test(arguments: goals) func findsWhatTryingEverySizeFinds(_ goal: SizeGoal) throws {
    let space = try space()
    let solver = try solver(goal, space)
    let parent = model.hyperparameters
    let limit = goal.limit(for: try solver.footprint(parent))
    var near: [ModelSizes] = []
    for layers in space.layers {
      for hidden in space.hidden {
        for intermediate in space.intermediate {
          for groups in space.keyValueHeads {
            for groupSize in space.groupSizes {
              var sizes = ModelSizes(parent)
              (sizes.layers, sizes.hidden, sizes.intermediate) = (layers, hidden, intermediate)
              (sizes.keyValueHeads, sizes.queryHeads) = (groups, groups * groupSize)
              let value = goal.measure(try solver.footprint(sizes.hyperparameters(like: parent)))
              if value <= limit, Double(value) >= 0.9 * Double(limit) { near.append(sizes) }
            }
          }
        }
      }
    }
    let expected = Set(near.filter { sizes in !near.contains { sizes.isInside($0) } })
    let solutions = try solver.solutions(tolerance: 0.1)
    #expect(Set(solutions.map(\.sizes)) == expected)
    #expect(!expected.isEmpty)
    #expect(solutions.allSatisfy { solver.accepts($0.footprint) })
  }

  @Test func solvesTheHiddenSizeWhereTheFeedForwardSizeIsGiven() throws {
    let space = try space {
      $0.dimensions = [.hidden]
      $0.fixed = PruningTarget(intermediate: 64)
    }
    let solver = try solver(.parameterShare(0.6), space)
    let solutions = try solver.solutions()
    #expect(solutions.count == 1)
    #expect(solutions[0].sizes.intermediate == 64)
    var larger = solutions[0].sizes
    larger.hidden += 4
    #expect(!solver.accepts(try solver.footprint(larger.hyperparameters(like: model.hyperparameters))))
  }

  @Test func namesTheNearestWhereNoneIsNear() throws {
    let space = try space { $0.dimensions = [.layers] }
    let solutions = try solver(.parameterShare(0.99), space).solutions(tolerance: 0.001)
    #expect(solutions.map(\.sizes.layers) == [2])
  }

  @Test func aGoalThatIsMetAlreadyCutsNothing() throws {
    #expect(try solver(.parameterShare(1), try space()).solutions().map(\.sizes) == [ModelSizes(model.hyperparameters)])
  }

  @Test func saysWhatTheSmallestIs() throws {
    let error = #expect(throws: CompressionError.self) {
      try solver(.parameters(10), try space { $0.dimensions = [.layers] }).solutions()
    }
    #expect(error?.code == .invalidPlan)
    #expect(error?.message.contains("2 layers, hidden 48, ffn 80, heads 6/2") == true, "\(error?.message ?? "")")
  }
}
