import ModelArchitectures
import ModelCheckpoints
import MTConvTestSupport
import SafetensorsFormat
import TensorFormats
import Testing

/// A pico checkpoint of Fixtures/models.
struct Pico: CustomTestStringConvertible {
  let name: String
  var testDescription: String { name }

  static let all = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"].map(Pico.init)

  var path: String { Fixture.path("models/\(name)-pico") }
  func checkpoint() throws -> Checkpoint { try Checkpoint(path: path) }
  func tensors() throws -> [TensorInfo] { try SafetensorsFileSet(path: path).entries.map(\.info) }

  init(_ name: String) { self.name = name }
}
