import OrderedCollections
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

@Suite struct RecipeTests {
  private static let plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 2], criterion: .explicit)

  private func recipe() throws -> Recipe {
    Recipe(
      parent: try Pico.checkpoint("llama"), output: .huggingFace, pruning: Self.plan, elementFormat: .bf16,
      quantization: QuantizationScheme(rounding: .compat))
  }

  @Test func survivesJSON() throws {
    let recipe = try recipe()
    var model = try Pico.checkpoint("llama")
    model.recipe = try JSON(parsing: JSON(encoding: recipe).serializedBytes(.indented))
    #expect(try Recipe(of: model) == recipe)
  }

  @Test(arguments: [QuantizationScheme.Rounding.single, .compat])
  func aSchemeSurvivesJSON(_ rounding: QuantizationScheme.Rounding) throws {
    let scheme = QuantizationScheme(rounding: rounding)
    #expect(try JSON(encoding: scheme).decoded() as QuantizationScheme == scheme)
    #expect(try JSON(encoding: scheme)["kind"] == "fp8-dynamic")
  }

  @Test func isCarriedByWhatItMakes() throws {
    let recipe = try recipe()
    let made = try recipe.applied(to: Pico.checkpoint("llama"))
    #expect(try Recipe(of: made) == recipe)
    #expect(try Recipe(of: Pico.checkpoint("llama")) == nil)
  }

  /// What a later version may write cannot be repeated by this one, and must not be passed over.
  @Test(arguments: [["recipe"], ["pruning"], ["quantization"], ["parent"]])
  func refusesKeysItDoesNotKnow(_ path: [String]) throws {
    var object = try #require(try JSON(encoding: recipe()).object)
    if path == ["recipe"] {
      object["healing"] = true
    } else {
      var inner = try #require(object[path[0]]?.object)
      inner["healing"] = true
      object[path[0]] = .object(inner)
    }
    var model = try Pico.checkpoint("llama")
    model.recipe = .object(object)
    let error = #expect(throws: CompressionError.self) { _ = try Recipe(of: model) }
    #expect(error?.code == .wrongRecipe)
    #expect(error?.message.contains("healing") == true)
  }

  /// Rounding to BF16 before the codes would round twice.
  @Test func codesComeFromTheParentsOwnNumbers() throws {
    let model = try Pico.checkpoint("llama")
    let name = "model.layers.0.mlp.up_proj.weight"
    let key = try #require(model.key(named: name))
    func codes(_ rounding: QuantizationScheme.Rounding, _ format: ElementFormat?) throws -> [UInt8] {
      let scheme = QuantizationScheme(rounding: rounding)
      let recipe = Recipe(parent: model, output: .huggingFace, elementFormat: format, quantization: scheme)
      return try #require(try recipe.applied(to: model).weights[key]).values.bytes()
    }
    for (written, scales) in [(ElementFormat?.some(.bf16), ElementFormat.bf16), (nil, .f32)] {
      let rule = ScaleRule(format: scales, search: .none)
      let exact = WeightQuantizer(model.weights[key]!, name: name, .row, rule: rule, rounding: .single).quantized
      #expect(try codes(.single, written) == exact.values.bytes())
    }
    // The reference quantizes a checkpoint that is BF16 already.
    #expect(try codes(.compat, .bf16) != codes(.compat, nil))
  }
}
