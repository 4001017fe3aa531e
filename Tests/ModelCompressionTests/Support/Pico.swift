import ModelCompute
import OrderedCollections
import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import ModelCompression
import TensorFormats

/// A small model of every family, and the tokens its oracle was made with.
enum Pico {
  static let families = ["llama", "llama-rope3", "qwen2", "qwen3", "gemma2", "nemotron", "phi"]

  static func checkpoint(_ family: String) throws -> Checkpoint {
    try Checkpoint(path: Fixture.path("models/\(family)-pico"))
  }

  static func tokens(_ family: String = "llama") throws -> CalibrationSet {
    CalibrationSet(sequences: try TensorTable(fixture: "models/\(family)-pico/oracle.safetensors").sequences("tokens"))
  }
}

extension Checkpoint {
  /// The weight of this Hugging Face name.
  func key(named name: String) -> WeightKey? { weights.keys.first { huggingFaceName(of: $0) == name } }

  /// The logits of all sequences, one after the other.
  func logits(of set: CalibrationSet) throws -> [Float] {
    try set.sequences.flatMap { try network.logits($0).array }
  }

  /// The numbers of a weight, scales applied.
  func values(named name: String) throws -> [Float] {
    let weight = weights[key(named: name)!]!
    return try [Float](unsafeUninitializedCapacity: weight.values.elementCount) { buffer, count in
      count = weight.values.elementCount
      try weight.decode(
        rows: 0..<weight.values.rowCount, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// The same model with the numbers of one weight changed.
  func changing(_ name: String, _ change: (inout [Float]) -> Void) throws -> Checkpoint {
    var result = self
    var values = try values(named: name)
    change(&values)
    let key = key(named: name)!
    result.weights[key] = Weight(LazyTensor(values, shape: weights[key]!.shape))
    return result
  }
}

/// Σ(a − b)² ÷ Σa²
func normalizedError(_ a: [Float], _ b: [Float]) -> Double {
  precondition(a.count == b.count, "\(a.count) and \(b.count) values")
  var (noise, signal) = (0.0, 0.0)
  for (x, y) in zip(a, b) {
    noise += Double(x - y) * Double(x - y)
    signal += Double(x) * Double(x)
  }
  return noise == 0 ? 0 : noise / signal
}

/// Whether two numbers agree to a relative error.
func agree(_ a: Double, _ b: Double, within tolerance: Double) -> Bool { abs(a - b) <= tolerance * max(abs(b), 1e-30) }
