import Foundation
import MTConvTestSupport
import ModelCheckpoints
import SafetensorsFormat
import TensorFormats
import Testing

@testable import ModelCompression

/// A model that llm-compressor 0.14.0.1 quantized to FP8_DYNAMIC (Fixtures/generate/fp8_reference.py).
@Suite struct FP8ParityTests {
  private static let source = "models/fp8-reference/src"
  private static let reference = "models/fp8-reference/fp8-dynamic"

  private let folder: TemporaryFolder

  init() throws { folder = TemporaryFolder() }

  private func written(_ rounding: QuantizationScheme.Rounding) throws -> TensorTable {
    let model = try Checkpoint(path: Fixture.path(Self.source))
    let recipe = Recipe(
      parent: model, output: .huggingFace, elementFormat: .bf16, quantization: QuantizationScheme(rounding: rounding))
    try recipe.applied(to: model).write(to: folder.file("out"), as: .huggingFace)
    return try TensorTable(folder.file("out/model.safetensors"))
  }

  @Test func compatRoundingGivesTheReferencesBytes() throws {
    let ours = try written(.compat)
    let theirs = try TensorTable(fixture: Self.reference + "/model.safetensors")
    #expect(ours.names == theirs.names)
    for name in theirs.names.sorted() {
      #expect(try ours.info(name) == theirs.info(name))
      #expect(try ours.bytes(name) == theirs.bytes(name), "\(name)")
    }
  }

  @Test func theConfigurationSaysWhatTheReferenceSays() throws {
    _ = try written(.compat)
    func config(_ path: String) throws -> JSON {
      try JSON(parsing: FileSystem.read(path))
    }
    let ours = try config(folder.file("out/config.json"))
    let theirs = try config(Fixture.path(Self.reference + "/config.json"))
    let (a, b) = (
      try #require(ours["quantization_config"]?.object), try #require(theirs["quantization_config"]?.object)
    )
    #expect(a.keys == b.keys)
    // The reference was told to leave the embedding, which is no linear layer, too.
    for key in b.keys where key != "ignore" { #expect(a[key] == b[key], "\(key)") }
    #expect(a["ignore"] == ["lm_head"])
    for (key, value) in try #require(theirs.object) where key != "quantization_config" {
      #expect(ours[key] == value, "\(key)")
    }
  }

  @Test func singleRoundingKeepsTheLayoutAndTheScales() throws {
    let ours = try written(.single)
    let theirs = try TensorTable(fixture: Self.reference + "/model.safetensors")
    #expect(ours.names == theirs.names)
    for name in theirs.names.sorted() {
      #expect(try ours.info(name) == theirs.info(name))
      if try theirs.info(name).format != .f8E4M3 { #expect(try ours.bytes(name) == theirs.bytes(name), "\(name)") }
    }
  }

  @Test func singleRoundingIsOneDivisionInF32() throws {
    let ours = try written(.single)
    let theirs = try TensorTable(fixture: Self.reference + "/model.safetensors")
    let changed = try TensorTable(fixture: "models/fp8-reference/single.safetensors")
    for name in theirs.names.sorted() where try theirs.info(name).format == .f8E4M3 {
      var expected = try theirs.bytes(name)
      let codes = try changed.bytes(name + ".code")
      try changed.bytes(name + ".index").withUnsafeBytes { indices in
        for place in codes.indices {
          expected[Int(indices.loadUnaligned(fromByteOffset: 4 * place, as: Int32.self))] = codes[place]
        }
      }
      #expect(!codes.isEmpty)
      #expect(try ours.bytes(name) == expected, "\(name)")
    }
  }

  /// Signal to noise as torch computed it.
  private struct Noise: Decodable {
    let whole: [String: Double]
    let tensors: [String: [String: Double]]
  }

  @Test(arguments: [QuantizationScheme.Rounding.single, .compat])
  func losesAsMuchAsTheOracleSays(_ rounding: QuantizationScheme.Rounding) throws {
    _ = try written(rounding)
    let name = "models/fp8-reference/single.json"
    let noise: Noise = try JSON(parsing: FileSystem.read(Fixture.path(name))).decoded()
    let parent = try Checkpoint(path: Fixture.path(Self.source))
    let result = try Checkpoint(path: folder.file("out"))
    let comparisons = try TensorComparer(reference: parent, other: result).comparisons { _ in }
    for comparison in comparisons {
      let expected = noise.tensors[comparison.name]?[rounding.rawValue]
      #expect((expected == nil) == comparison.isExact)
      guard let expected, let found = comparison.signalToNoise else { continue }
      #expect(abs(found - expected) < 1e-4, "\(comparison.name): \(found) dB, expected \(expected)")
    }
    #expect(comparisons.count { !$0.isExact } == noise.tensors.count)
  }

  @Test func oneRoundingIsNeverWorseThanTwo() throws {
    let name = "models/fp8-reference/single.json"
    let noise: Noise = try JSON(parsing: FileSystem.read(Fixture.path(name))).decoded()
    #expect(noise.whole["single"]! > noise.whole["compat"]! + 0.04)
    for (name, values) in noise.tensors {
      #expect(values["single"]! > values["compat"]! - 0.01, "\(name)")
    }
  }
}
