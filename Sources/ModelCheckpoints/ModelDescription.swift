internal import ModelArchitectures
internal import OrderedCollections
public import TensorFormats

/// A family's weight table and program for one model, as data for a person to read.
public struct ModelDescription: Sendable, Encodable {
  public let family: String
  public let parameterCount: Int
  public let layerCount: Int
  public let weights: [Row]
  /// Steps before, in, and behind the blocks, a line each. Layers with the same steps stand together.
  public let program: [Section]

  public struct Row: Sendable, Encodable {
    public let role: String
    public let axes: String
    public let shape: [Int]
    public let format: ElementFormat
    public let huggingFaceName: String
    public let ggufName: String
    public let transform: String
  }

  public struct Section: Sendable, Encodable {
    public let title: String
    public let steps: [String]
  }

  public init(of model: Checkpoint) {
    let hyperparameters = model.hyperparameters
    family = model.architecture.name
    parameterCount = model.parameterCount
    layerCount = hyperparameters.layerCount
    weights = model.architecture.weightSpecs(for: hyperparameters).map { spec in
      let key = WeightKey(spec.role, spec.part, layer: spec.role.isPerLayer ? 0 : nil)
      return Row(
        role: "\(spec.role.rawValue).\(spec.part.rawValue)",
        axes: "(" + spec.dimensions.map(\.description).joined(separator: ", ") + ")",
        shape: spec.shape(in: hyperparameters), format: model.weights[key]?.format ?? .f32,
        huggingFaceName: spec.huggingFaceTemplate, ggufName: spec.ggufTemplate, transform: spec.transform.description)
    }
    program = Self.sections(model.architecture.program(for: hyperparameters))
  }

  private static func sections(_ program: Program) -> [Section] {
    let blocks = OrderedDictionary(grouping: program.blocks.indices) { program.blocks[$0] }
    return [Section(title: "before the blocks", steps: program.prologue.map(\.description))]
      + blocks.map { steps, layers in
        Section(title: "layers \(ranges(Array(layers)))", steps: steps.map(\.description))
      }
      + [
        Section(
          title: "behind the blocks", steps: program.epilogue.map(\.description) + program.head.map(\.description))
      ]
  }

  /// `0–3, 5, 7–9`
  package static func ranges(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }.joined(separator: ", ")
  }
}
