internal import TensorFormats

/// A JSON line for every step and for every look at the held-out text.
///
/// A step: `{"step", "loss", "gradientNorm", "learningRate", "isSkipped", "tokensPerSecond"}`; a look: `{"step", "heldOut": {…}}`.
final class TrainingLog {
  enum Line {
    case step(Int, StepResult, tokensPerSecond: Double)
    case heldOut(step: Int, HeldOutQuality)
  }

  private let file: AppendedFile

  /// - Parameter keepingSteps: how many steps of an older log are kept; nil begins anew.
  init(path: String, keepingSteps: Int?) throws {
    var kept: [UInt8] = []
    if let keepingSteps, FileSystem.exists(path) {
      for line in try FileSystem.read(path).split(separator: 0x0A) {
        guard let json = try? JSON(parsing: Array(line)), let step: StepNumber = try? json.decoded(),
          step.step <= keepingSteps
        else { continue }
        kept += line + [0x0A]
      }
    }
    let output = try OutputFile(path: path, overwrite: true)
    try output.write(kept)
    try output.commit(durable: false)
    file = try AppendedFile(path: path)
  }

  private struct StepNumber: Decodable { let step: Int }

  func add(_ line: Line) throws {
    let json =
      switch line {
      case .step(let step, let result, let rate): try JSON(encoding: StepLine(step, result, rate))
      case .heldOut(let step, let quality): try JSON(encoding: HeldOutLine(step: step, heldOut: quality))
      }
    try file.append(json.serializedBytes() + [0x0A])
  }

  private struct StepLine: Encodable {
    let step: Int
    let loss: Double?
    let gradientNorm: Double?
    let learningRate: Double
    let isSkipped: Bool
    let tokensPerSecond: Double

    init(_ step: Int, _ result: StepResult, _ rate: Double) {
      self.step = step
      // JSON has no word for what is not finite.
      loss = result.loss.isFinite ? result.loss : nil
      gradientNorm = result.gradientNorm.isFinite ? result.gradientNorm : nil
      learningRate = result.learningRate
      isSkipped = result.isSkipped
      tokensPerSecond = rate
    }
  }

  private struct HeldOutLine: Encodable {
    let step: Int
    let heldOut: HeldOutQuality
  }
}
