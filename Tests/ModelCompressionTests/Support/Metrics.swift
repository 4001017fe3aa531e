import Testing
import MTConvTestSupport
import TensorFormats

/// What numpy and transformers computed (Fixtures/generate/compression_metrics.py).
struct Metrics: Decodable {
  struct Errors: Decodable {
    let normalized: Double
    let maximum: Double
    let signal_to_noise: Double?
    let cosine: Double
  }

  struct Logits: Decodable {
    let normalized_error: Double
    let divergence: Double
    let top_agreement: Double
  }

  struct Pair: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let rows: Int
    let columns: Int
    let a: [Float]
    let b: [Float]
    let errors: Errors
    let logits: Logits
    var testDescription: String { name }
  }

  struct Perplexity: Decodable {
    let value: Double
    let mean_loss: Double
    let scored: Int
    let standard_error: Double
  }

  struct Model: Decodable {
    let influence: [Double]
    let perplexity: Perplexity
  }

  struct Pruned: Decodable {
    let perplexity: Perplexity
    let comparison: Logits
  }

  struct Trained: Decodable {
    let context: Int
    let chunks: Int
    let influence: [Double]
    let kept: [Int]
    let perplexity: Perplexity
    let pruned: Perplexity
    let comparison: Logits
  }

  let pairs: [Pair]
  let models: [String: Model]
  let pruned: Pruned
  let trained: Trained

  static let shared = load()

  private static func load() -> Metrics {
    do {
      let name = "compression/metrics.json"
      return try JSON(parsing: FileSystem.read(Fixture.path(name))).decoded()
    } catch {
      fatalError("cannot read the metrics: \(error)")
    }
  }
}
