import ModelCheckpoints
import MTConvTestSupport
import TensorFormats
import Testing

@Suite struct InspectionTests {
  @Test func aDirectoryIsReadByItsHeaders() throws {
    let report = try Inspection(path: Fixture.path("models/llama-pico"))
    #expect(report.fileFormat == "Hugging Face directory")
    #expect(report.family == "llama" && report.isSupported)
    #expect(report.parameterCount == (try Checkpoint(path: report.path).parameterCount))
    #expect(report.byteCount == 4 * report.parameterCount)
    #expect(report.formats.map(\.format) == [.f32])
    #expect(report.formats[0].tensorCount == report.tensorCount)
    #expect(report.metadata.contains { $0.key == "hidden_size" && $0.value == 32 })
    #expect(report.tensors.allSatisfy { $0.file == "model.safetensors" })
  }

  @Test func shardsAreNamedWithTheirTensors() throws {
    let report = try Inspection(path: Fixture.path("models/llama-pico-bf16-sharded"))
    #expect(Set(report.tensors.map(\.file)).count == 4)
    #expect(report.formats.map(\.format) == [.bf16])
  }

  @Test func aSafetensorsFileHasNoFamily() throws {
    let report = try Inspection(path: Fixture.path("models/llama-pico/model.safetensors"))
    #expect(report.fileFormat == "safetensors")
    #expect(report.family == nil && !report.isSupported)
    #expect(report.metadata.map(\.key) == ["format"])
  }

  @Test func aSplitGGUFFileIsOneModel() throws {
    let report = try Inspection(path: Fixture.path("models/llama-pico-q8_0/model-00001-of-00002.gguf"))
    #expect(report.fileFormat == "GGUF in 2 files")
    #expect(report.family == "llama" && report.isSupported)
    #expect(report.parameterCount == (try Checkpoint(path: Fixture.path("models/llama-pico")).parameterCount))
    #expect(report.formats.map(\.format) == [.q8_0, .f32])
    let tokens = try #require(report.metadata.first { $0.key == "tokenizer.ggml.tokens" })
    #expect(tokens.value["count"] == 104 && tokens.value["first"]?.array?.count == 8)
  }

  @Test func anUnsupportedFamilyIsInspectedAllTheSame() throws {
    var folder = try ModelFolder("llama")
    folder.config["model_type"] = "bert"
    let written = try folder.written()
    let report = try Inspection(path: written.path)
    #expect(report.family == "bert" && !report.isSupported)
    #expect(report.parameterCount > 0)
    expectError(.unsupportedFamily, naming: "bert") { _ = try Checkpoint(path: written.path) }
  }

  @Test(arguments: ["safetensors/valid", "gguf/valid"]) func everyValidFileIsInspected(folder: String) throws {
    for name in try FileSystem.names(in: Fixture.path(folder)) {
      let path = Fixture.path("\(folder)/\(name)")
      guard FileSystem.kind(of: path) == .file, name.contains(".safetensors") || name.contains(".gguf") else {
        continue
      }
      let report = try Inspection(path: path)
      #expect(report.tensors.count == report.tensorCount)
      #expect(throws: Never.self) { try JSON(encoding: report) }
    }
  }

  @Test(arguments: ["safetensors/invalid", "gguf/invalid"]) func everyInvalidFileIsRefused(folder: String) throws {
    for name in try FileSystem.names(in: Fixture.path(folder)) {
      let path = Fixture.path("\(folder)/\(name)")
      guard FileSystem.kind(of: path) == .file else { continue }
      #expect(throws: (any Error).self, "\(name)") { try Inspection(path: path) }
      #expect(throws: (any Error).self, "\(name)") { try Checkpoint(path: path) }
    }
  }
}
