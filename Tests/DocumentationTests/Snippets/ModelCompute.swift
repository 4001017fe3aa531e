// From Sources/ModelCompute/README.md.
import ModelArchitectures
import ModelCompute

func perTokenLoss(_ weights: some WeightSource, _ sizes: Hyperparameters, _ text: [[Int]]) throws -> Double {
  let network = Network(architecture: .llama, hyperparameters: sizes, weights: weights)
  let batch = TokenBatch(text)
  let hidden = try network.run(batch, observing: [.blockOutput]) { seen in print(seen.layer, seen.values.rows) }
  let loss = CrossEntropy(nextTokensOf: batch)
  var total = 0.0
  try network.head().forEachPanel(network.finalHidden(hidden)) { rows, logits in
    total += loss.evaluate(logits, rows: rows)
  }
  return total
}
