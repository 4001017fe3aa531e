import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompute
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@testable import ModelCompression

/// Every scheme in every dialect that can say it: written, read, moved to another.
@Suite struct DialectTests {
  private let folder: TemporaryFolder

  init() { folder = TemporaryFolder() }

  /// Numbers for every site; what they are does not matter here.
  private static func ranges(layers: Int) -> ActivationRanges {
    let sites: [Site] = [.attentionInput, .attended, .feedForwardInput, .feedForwardInner, .keyRotated, .value]
    return ActivationRanges(
      layers: (0..<layers).map { layer in
        Dictionary(uniqueKeysWithValues: sites.enumerated().map { ($1, Float(7 * layer + $0 + 1)) })
      })
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let dialect: QuantizationDialect
    let kind: QuantizationScheme.Kind
    let cache: Bool
    /// Of k_proj (32 × 32), and of its scale.
    let name: String
    let shape: [Int]
    let format: ElementFormat
    var testDescription: String { "\(kind.rawValue) as \(dialect.rawValue)" }
  }

  static let cases = [
    Case(
      dialect: .compressedTensors, kind: .fp8Dynamic, cache: true, name: "weight_scale", shape: [32, 1], format: .bf16),
    Case(
      dialect: .compressedTensors, kind: .fp8Block, cache: false, name: "weight_scale", shape: [1, 1], format: .bf16),
    Case(dialect: .compressedTensors, kind: .fp8Static, cache: true, name: "weight_scale", shape: [1], format: .bf16),
    Case(dialect: .fp8, kind: .fp8Block, cache: false, name: "weight_scale_inv", shape: [1, 1], format: .f32),
    Case(dialect: .fp8, kind: .fp8Static, cache: true, name: "weight_scale", shape: [], format: .f32),
    Case(dialect: .modelOpt, kind: .fp8Dynamic, cache: false, name: "weight_scale", shape: [32], format: .f32),
    Case(dialect: .modelOpt, kind: .fp8Block, cache: true, name: "weight_scale", shape: [1, 1, 1, 1], format: .f32),
    Case(dialect: .modelOpt, kind: .fp8Static, cache: true, name: "weight_scale", shape: [], format: .f32),
    Case(dialect: .transformers, kind: .fp8Block, cache: false, name: "weight_scale_inv", shape: [1, 1], format: .f32),
    Case(dialect: .transformers, kind: .fp8Static, cache: false, name: "weight_scale_inv", shape: [], format: .f32),
  ]

  private func quantized(_ item: Case) throws -> Checkpoint {
    let model = try Pico.checkpoint("qwen2")
    let scheme = QuantizationScheme(
      kind: item.kind, dialect: item.dialect, ignored: ["lm_head", "re:.*layers\\.1\\.mlp\\.gate"],
      quantizesKeyValueCache: item.cache, ranges: Self.ranges(layers: model.hyperparameters.layerCount))
    return try Recipe(parent: model, output: .huggingFace, elementFormat: .bf16, quantization: scheme)
      .applied(to: model)
  }

  @Test(arguments: cases) func isReadAsItWasWritten(_ item: Case) throws {
    let written = try quantized(item)
    try written.write(to: folder.file("out"), as: .huggingFace)
    let read = try Checkpoint(path: folder.file("out"))
    #expect(read.quantization == written.quantization)
    try expectSame(read, written)
    let module = "model.layers.0.self_attn.k_proj"
    let table = try TensorTable(folder.file("out/model.safetensors"))
    let scale = try table.info("\(module).\(item.name)")
    #expect(scale.shape.count == item.shape.count && scale.format == item.format)
    let key = try #require(read.key(named: module + ".weight"))
    let weight = try #require(read.weights[key])
    #expect(scale.shape.reduce(1, *) == weight.scale?.values.elementCount)
    #expect((weight.inputScale != nil) == (item.kind == .fp8Static))
    #expect((weight.cacheScale != nil) == item.cache)
    #expect(
      read.weights[WeightKey(.gate, layer: 1)]?.scale == nil && read.weights[WeightKey(.gate, layer: 0)]?.scale != nil)
    let ignored = read.quantization?.ignored ?? []
    #expect(ignored.contains { ModulePattern($0).matches("model.layers.1.mlp.gate_proj") })
    #expect(!ignored.contains { ModulePattern($0).matches("model.layers.0.mlp.gate_proj") })
    #expect(FileSystem.exists(folder.file("out/hf_quant_config.json")) == (item.dialect == .modelOpt))
  }

  private func expectSame(_ a: Checkpoint, _ b: Checkpoint) throws {
    #expect(a.weights.keys == b.weights.keys)
    for (key, weight) in a.weights {
      let other = try #require(b.weights[key])
      #expect(weight.format == other.format)
      #expect(try weight.values.bytes() == other.values.bytes(), "\(key)")
      #expect(try weight.scale?.values.decoded() == other.scale?.values.decoded(), "\(key)")
      #expect(weight.scale?.granularity == other.scale?.granularity, "\(key)")
      #expect(try weight.inputScale?.decoded() == other.inputScale?.decoded(), "\(key)")
      #expect(try weight.cacheScale?.decoded() == other.cacheScale?.decoded(), "\(key)")
    }
  }

  @Test(arguments: cases.filter { $0.dialect == .compressedTensors }) func movesThroughAllDialectsAndBack(_ item: Case)
    throws
  {
    let original = try quantized(item)
    var model = original
    for dialect in QuantizationDialect.allCases + [.compressedTensors] {
      do {
        var layout = try #require(model.quantization)
        layout.dialect = dialect
        try dialect.check(layout)
      } catch is CheckpointError { continue }
      model = try model.converted(to: dialect)
      try model.write(
        to: folder.file(dialect.rawValue + "-\(model.path.count)"), as: .huggingFace, WriteOptions(overwrites: true))
      model = try Checkpoint(path: folder.file(dialect.rawValue + "-\(model.path.count)"))
      #expect(model.quantization?.dialect == dialect)
      try expectSame(model, original)
    }
    #expect(model.quantization?.dialect == .compressedTensors)
    for (key, weight) in original.weights {
      #expect(try model.weights[key]?.scale?.values.bytes() == weight.scale?.values.bytes())
    }
  }

  /// Nothing announces the scales, and some dialects have no place for them.
  @Test(arguments: [QuantizationScheme.Rounding.single, .compat], [QuantizationDialect.transformers, .fp8, .modelOpt])
  func scalesOfACacheThatIsNotQuantizedAreLeftOut(
    _ rounding: QuantizationScheme.Rounding, _ dialect: QuantizationDialect
  ) throws {
    let cached = try quantized(Self.cases.first { $0.dialect == .modelOpt && $0.kind == .fp8Static }!)
    try cached.write(to: folder.file("cached"), as: .huggingFace)
    let parent = try Checkpoint(path: folder.file("cached"))
    let recipe = Recipe(
      parent: parent, output: .huggingFace, elementFormat: .bf16,
      quantization: QuantizationScheme(kind: .fp8Block, dialect: dialect, rounding: rounding))
    let made = try recipe.applied(to: parent)
    #expect(made.weights.values.allSatisfy { $0.cacheScale == nil })
    let count = 2 * parent.hyperparameters.layerCount
    #expect(made.warnings.contains { $0.contains("\(count) scales of the key-value cache are left out") })
    try recipe.write(of: parent, to: folder.file("made"))
    let written = try Checkpoint(path: folder.file("made"))
    try expectSame(written, made)
    #expect(try Verifier().verify(written, against: parent, on: Pico.tokens("qwen2")).correctness.passes)
  }

  @Test func scalesOfTheCacheNeedAPlaceInTheDialectEvenIfNothingAnnouncesThem() throws {
    var model = try quantized(Self.cases.first { $0.dialect == .modelOpt && $0.kind == .fp8Block }!)
    model.quantization?.quantizesKeyValueCache = false
    #expect(throws: CheckpointError(.notExpressible, "")) { _ = try model.converted(to: .transformers) }
  }

  @Test func refusesToRoundAScale() throws {
    let model = try quantized(Self.cases.first { $0.dialect == .modelOpt && $0.kind == .fp8Dynamic }!)
    let error = #expect(throws: CheckpointError.self) { _ = try model.converted(to: .compressedTensors) }
    #expect(error?.code == .notExpressible)
    #expect(error?.message.contains("codes would have to change") == true)
  }

  @Test(arguments: [
    (QuantizationDialect.fp8, QuantizationScheme.Kind.fp8Dynamic, false), (.transformers, .fp8Dynamic, false),
    (.fbgemm, .fp8Dynamic, false), (.fp8, .fp8Block, true), (.transformers, .fp8Static, true),
  ])
  func refusesWhatADialectCannotSay(_ dialect: QuantizationDialect, _ kind: QuantizationScheme.Kind, _ cache: Bool)
    throws
  {
    let scheme = QuantizationScheme(
      kind: kind, dialect: dialect, quantizesKeyValueCache: cache, ranges: Self.ranges(layers: 3))
    let error = #expect(throws: CheckpointError.self) { _ = try Pico.checkpoint("llama").quantized(by: scheme) }
    #expect(error?.code == .notExpressible)
  }

  @Test func calibratedScalesNeedStatisticsOfTheModel() throws {
    let model = try Pico.checkpoint("llama")
    for ranges in [nil, Self.ranges(layers: 2), ActivationRanges(layers: [[:], [:], [:]])] {
      let error = #expect(throws: CompressionError.self) {
        _ = try model.quantized(by: QuantizationScheme(kind: .fp8Static, ranges: ranges))
      }
      #expect(error?.code == .wrongStatistics)
    }
  }

  @Test func matricesThatEnginesFuseShareAScale() throws {
    let model = try Pico.checkpoint("llama")
    let shared = try model.quantized(by: QuantizationScheme(kind: .fp8Static, ranges: Self.ranges(layers: 3)))
    let separate = try model.quantized(
      by: QuantizationScheme(kind: .fp8Static, sharesScales: false, ranges: Self.ranges(layers: 3)))
    func scale(_ role: WeightRole, _ model: Checkpoint) throws -> Float {
      try #require(model.weights[WeightKey(role, layer: 1)]?.scale).values.decoded()[0]
    }
    for roles: [WeightRole] in [[.query, .key, .value], [.gate, .up]] {
      let scales = try roles.map { try scale($0, shared) }
      let own = try roles.map { try scale($0, separate) }
      #expect(Set(scales).count == 1 && Set(own).count > 1)
      #expect(scales[0] == own.max())
    }
    let (a, b) = (try scale(.down, shared), try scale(.down, separate))
    #expect(a == b)
  }

  /// kjv-1m has 96 hidden channels and 256 neurons: blocks of 128 at the edges and inside.
  @Test func cutsInsideBlocksAreQuantizedAgainAndSaidSo() throws {
    let model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    let quantized = try model.quantized(by: QuantizationScheme(kind: .fp8Block))
    let layers = model.hyperparameters.layerCount
    var plan = PruningPlan(parentLayerCount: layers, keptLayers: [0, 1], criterion: .explicit)
    let neurons = model.hyperparameters.intermediateSize
    for layer in 0..<2 { plan.keptIndices[ScopedAxis(.intermediate, layer: layer)] = Array(0..<neurons / 2) }
    let whole = try quantized.pruned(by: plan)
    #expect((whole.warnings == quantized.warnings) == (neurons / 2).isMultiple(of: 128))
    for layer in 0..<2 {
      plan.keptIndices[ScopedAxis(.intermediate, layer: layer)] = Array(stride(from: 0, to: neurons, by: 2))
    }
    let cut = try quantized.pruned(by: plan)
    #expect(cut.warnings.count == quantized.warnings.count + 1)
    for (key, weight) in cut.weights {
      #expect((weight.scale != nil) == key.isQuantizable)
      #expect(weight.shape == cut.architecture.spec(of: key).shape(in: cut.hyperparameters))
    }
    try cut.write(to: folder.file("cut"), as: .huggingFace)
    #expect(try Checkpoint(path: folder.file("cut")).quantization == quantized.quantization)
  }
}

extension WriteOptions {
  fileprivate init(overwrites: Bool) {
    self.init()
    self.overwrites = overwrites
  }
}
