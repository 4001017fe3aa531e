import Foundation
import MTConvTestSupport
import ModelCheckpoints
import ModelCompute
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCompression

/// Losses, gradients and steps against torch autograd and torch.optim.AdamW (Fixtures/generate/distillation.py).
struct DistillationOracleTests {
  static let families = ["llama", "qwen3", "gemma2", "phi", "nemotron"]
  static let objectives = [
    "forwardKL", "forwardKL temperature 2", "reverseKL", "jensenShannon", "forwardKL mixed", "hidden meanSquare",
    "hidden cosine",
  ]

  @Test(arguments: families, objectives)
  func lossAndEveryGradientAgree(_ family: String, _ objective: String) throws {
    let expected = try #require(try Oracle.all()["\(family)-pico"]?.objectives[objective])
    let learner = try Learner(family)
    let pass = try learner.pass(settings(objective, learner))
    let loss = try pass.accumulate(step: 0, isWarmUp: false)
    // The oracle counts the hidden loss in what it adds, not in what it reports.
    let reported = objective.hasPrefix("hidden") ? expected.loss : expected.loss
    #expect(abs(loss - reported) < 1e-5 * reported, "\(loss) \(reported)")
    var compared = 0
    for (key, _) in pass.parameters {
      let name =
        switch key {
        case .weight(let key): learner.student.huggingFaceName(of: key)
        case .projection(let layer): "projection \(layer)"
        case .factor: ""
        }
      let numbers = try #require(expected.gradients[name], "\(name)")
      let found = fingerprint(try #require(pass.gradients[key]).array)
      // A key bias shifts all scores of a query alike: its gradient is zero but for rounding.
      let tolerance = 1e-4 * numbers[0] + 1e-7
      for (a, b) in zip(found, numbers) { #expect(abs(a - b) < tolerance, "\(name): \(found) \(numbers)") }
      compared += 1
    }
    #expect(compared == expected.gradients.count)
  }

  @Test(arguments: families)
  func tenStepsAgreeWithAdamWOfTorch(_ family: String) throws {
    let expected = try #require(try Oracle.all()["\(family)-pico"]?.steps)
    let learner = try Learner(family)
    let pass = try learner.pass(learner.settings)
    let optimizer = AdamW(learner.settings.optimizer)
    for (step, reference) in expected.losses.enumerated() {
      pass.gradients.reset()
      let loss = try pass.accumulate(step: step, isWarmUp: false)
      #expect(abs(loss - reference) < 1e-5 * max(1, reference), "step \(step): \(loss) \(reference)")
      let scale = min(1, expected.clippingNorm / pass.gradients.norm)
      optimizer.update(pass.parameters, by: pass.gradients, learningRate: expected.learningRate, scale: scale)
    }
  }

  private func settings(_ objective: String, _ learner: Learner) -> DistillationSettings {
    var settings = learner.settings
    settings.beta = 0.3
    switch objective {
    case "forwardKL temperature 2": settings.temperature = 2
    case "reverseKL": settings.objective = .reverseKL
    case "jensenShannon": settings.objective = .jensenShannon
    case "forwardKL mixed": settings.crossEntropy = 0.3
    case "hidden meanSquare": settings.hiddenLoss = .meanSquare
    case "hidden cosine": settings.hiddenLoss = .cosine
    default: break
    }
    return settings
  }

  private func fingerprint(_ values: [Float]) -> [Double] {
    let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return [norm]
      + [1.0, 2, 3].map { k in
        values.enumerated().reduce(0.0) { sum, value in
          sum + Double(value.element) * cos(k * Double(value.offset + 1))
        }
      }
  }
}

private struct Oracle: Decodable {
  struct Objective: Decodable {
    let loss: Double
    let gradients: [String: [Double]]
  }

  struct Steps: Decodable {
    let losses: [Double]
    let learningRate: Double
    let clippingNorm: Double
  }

  let objectives: [String: Objective]
  let steps: Steps

  static func all() throws -> [String: Oracle] {
    try JSON(parsing: FileSystem.read(Fixture.path("distillation/oracle.json"))).decoded()
  }
}
