import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompute
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCompression

/// The other outputs of llm-compressor 0.14.0.1 and ModelOpt 0.47.0 on the same model (Fixtures/generate/fp8_reference.py).
@Suite struct ReferenceParityTests {
  struct Reference: Sendable, CustomTestStringConvertible {
    let folder: String
    let scheme: QuantizationScheme
    var testDescription: String { folder }
    var path: String { "models/fp8-reference/\(folder)" }
  }

  private static let source = "models/fp8-reference/src"
  private static let embedding = ["lm_head", "model.embed_tokens"]

  static let references = [
    Reference(
      folder: "fp8-dynamic", scheme: QuantizationScheme(kind: .fp8Dynamic, rounding: .compat, ignored: embedding)),
    Reference(folder: "fp8-block", scheme: QuantizationScheme(kind: .fp8Block, rounding: .compat, ignored: embedding)),
    Reference(
      folder: "fp8-static-kv",
      scheme: QuantizationScheme(kind: .fp8Static, rounding: .compat, quantizesKeyValueCache: true)),
    Reference(
      folder: "modelopt-fp8-kv",
      scheme: QuantizationScheme(
        kind: .fp8Static, dialect: .modelOpt, rounding: .compat, ignored: embedding, quantizesKeyValueCache: true)),
  ]

  private let folder: TemporaryFolder

  init() throws { folder = TemporaryFolder() }

  /// What the scheme makes of the source; calibrated on the tokens that the references were calibrated on.
  private func write(_ scheme: QuantizationScheme) throws -> TensorTable {
    let model = try Checkpoint(path: Fixture.path(Self.source))
    var scheme = scheme
    if scheme.kind == .fp8Static { scheme.ranges = try Self.ranges.get() }
    let recipe = Recipe(parent: model, output: .huggingFace, elementFormat: .bf16, quantization: scheme)
    try recipe.applied(to: model).write(to: folder.file("out"), as: .huggingFace)
    return try TensorTable(folder.file("out/model.safetensors"))
  }

  /// Of our forward pass in F32; the references' ran in BF16.
  private static let ranges = Result { try measured { $0 } }
  /// Of the last sequence alone.
  private static let lastRanges = Result { try measured { $0.suffix(1) } }

  private static func measured(_ choice: ([[Int]]) -> [[Int]]) throws -> ActivationRanges {
    let model = try Checkpoint(path: Fixture.path(source))
    let json = try JSON(parsing: FileSystem.read(Fixture.path("models/fp8-reference/calibration.json")))
    let sites: Set<Site> = [.attentionInput, .attended, .feedForwardInput, .feedForwardInner, .keyRotated, .value]
    var layers = [[Site: Float]](repeating: [:], count: model.hyperparameters.layerCount)
    _ = try model.network.run(
      TokenBatch(choice(json.decoded())), observing: sites,
      observer: { observation in
        let maximum = observation.values.array.map(\.magnitude).max() ?? 0
        layers[observation.layer][observation.site] = max(layers[observation.layer][observation.site] ?? 0, maximum)
      })
    return ActivationRanges(layers: layers)
  }

  /// Scales of activations, which depend on how the forward pass rounds.
  private func isCalibrated(_ name: String) -> Bool {
    ["input_scale", "k_scale", "v_scale"].contains { name.hasSuffix("." + $0) }
  }

  @Test(arguments: references) func compatGivesTheSameNamesShapesCodesAndScales(_ reference: Reference) throws {
    let ours = try write(reference.scheme)
    let theirs = try TensorTable(fixture: reference.path + "/model.safetensors")
    #expect(ours.names == theirs.names)
    for name in theirs.names.sorted() {
      #expect(try ours.info(name) == theirs.info(name))
      if isCalibrated(name) { continue }
      #expect(try ours.bytes(name) == theirs.bytes(name), "\(name)")
    }
  }

  /// Both stand for the largest activation, rounded to BF16 in their forward pass: they agree to a last place of BF16 (2⁻⁷ of the
  /// scale), most of them exactly. llm-compressor keeps the cache's range of the last sequence only; we keep the largest of all.
  @Test(arguments: references.suffix(2)) func calibratedScalesAgreeToALastPlaceOfBF16(_ reference: Reference) throws {
    let ours = try write(reference.scheme)
    let theirs = try TensorTable(fixture: reference.path + "/model.safetensors")
    var equal = 0
    let names = theirs.names.filter(isCalibrated).sorted()
    for name in names {
      let b = try theirs.floats(name)[0]
      let isOfLast = reference.scheme.dialect == .compressedTensors && !name.hasSuffix("input_scale")
      let a = try isOfLast ? lastScale(name) : ours.floats(name)[0]
      #expect(abs(a - b) <= b / 128, "\(name): \(a), expected \(b)")
      if a == b { equal += 1 }
    }
    #expect(equal * 3 > names.count * 2, "\(equal) of \(names.count) are equal")
  }

  private func lastScale(_ name: String) throws -> Float {
    let layer = name.contains("layers.0.") ? 0 : 1
    let site = name.hasSuffix("k_scale") ? Site.keyRotated : .value
    let maximum = try #require(try Self.lastRanges.get().maximum(at: site, layer: layer))
    return BFloat16Bits.rounded(BFloat16Bits.rounded(maximum) / 448)
  }

  @Test(arguments: references) func saysWhatTheReferenceSays(_ reference: Reference) throws {
    _ = try write(reference.scheme)
    var ours = try JSON(parsing: FileSystem.read(folder.file("out/config.json")))
    var theirs = try JSON(parsing: FileSystem.read(Fixture.path(reference.path + "/config.json")))
    #expect(ours["quantization_config"] == theirs["quantization_config"])
    let keys = try #require(theirs["quantization_config"]?.object).keys
    #expect(ours["quantization_config"]?.object?.keys == keys)
    guard reference.scheme.dialect == .modelOpt else { return }
    let name = "hf_quant_config.json"
    ours = try JSON(parsing: FileSystem.read(folder.file("out/" + name)))
    theirs = try JSON(parsing: FileSystem.read(Fixture.path(reference.path + "/" + name)))
    #expect(ours == theirs)
  }

  @Test(arguments: references) func readsWhatTheReferenceWrote(_ reference: Reference) throws {
    let model = try Checkpoint(path: Fixture.path(reference.path))
    #expect(model.quantization == reference.scheme.layout)
    let table = try TensorTable(fixture: reference.path + "/model.safetensors")
    let block = reference.scheme.kind.granularity.block
    for (key, weight) in model.weights where weight.scale != nil {
      let name = model.huggingFaceName(of: key)
      let (codes, scales) = (try table.bytes(name), try table.floats(name + "_scale"))
      let columns = weight.scale!.columnCount
      let expected = codes.indices.map { place in
        let (row, column) = place.quotientAndRemainder(dividingBy: weight.shape[1])
        return Float8E4M3.decode(codes[place]) * scales[row / block.rows * columns + column / block.columns]
      }
      #expect(try model.values(named: name) == expected, "\(name)")
      #expect((weight.inputScale != nil) == (reference.scheme.kind == .fp8Static))
      #expect(
        (weight.cacheScale != nil) == (reference.scheme.quantizesKeyValueCache && [.key, .value].contains(key.role)))
    }
  }

  @Test(arguments: references) func writesBackWhatItRead(_ reference: Reference) throws {
    let model = try Checkpoint(path: Fixture.path(reference.path))
    try model.write(to: folder.file("again"), as: .huggingFace)
    let ours = try TensorTable(folder.file("again/model.safetensors"))
    let theirs = try TensorTable(fixture: reference.path + "/model.safetensors")
    #expect(ours.names == theirs.names)
    for name in theirs.names {
      #expect(try ours.info(name) == theirs.info(name))
      #expect(try ours.bytes(name) == theirs.bytes(name))
    }
    #expect(
      try FileSystem.read(folder.file("again/config.json"))
        == FileSystem.read(Fixture.path(reference.path + "/config.json")))
  }

  /// Signal to noise in decibels, and its mean over tensors.
  private func noise(_ scheme: QuantizationScheme) throws -> [String: Double] {
    let model = try Checkpoint(path: Fixture.path(Self.source))
    var scheme = scheme
    scheme.quantizesKeyValueCache = false
    if scheme.kind == .fp8Static { scheme.ranges = try Self.ranges.get() }
    let report = try QuantizationReport(of: model.quantized(by: scheme))
    return Dictionary(uniqueKeysWithValues: report.tensors.map { ($0.name, $0.signalToNoise!) })
  }

  @Test(arguments: references) func theDefaultLosesLessThanTheReference(_ reference: Reference) throws {
    var scheme = reference.scheme
    let theirs = try noise(scheme)
    scheme.rounding = .single
    let ours = try noise(scheme)
    for (name, value) in theirs { #expect(ours[name]! > value - 0.01, "\(name)") }
    #expect(mean(ours) > mean(theirs) + 0.02)
  }

  private func mean(_ values: [String: Double]) -> Double { values.values.reduce(0, +) / Double(values.count) }
}
