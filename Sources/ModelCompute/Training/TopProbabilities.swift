#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The likeliest next tokens by a teacher, and the probability that is left for all others.
///
/// The tail counts as one event: the divergence is that of the distributions over the named tokens and "any other". It is never
/// more than the full divergence, and nothing is asked of the shape of the student's own tail.
public struct TopProbabilities: Sendable, Equatable {
  public let tokens: [UInt32]
  public let probabilities: [Float]
  public let tail: Float

  public init(tokens: [UInt32], probabilities: [Float], tail: Float) {
    precondition(tokens.count == probabilities.count)
    self.tokens = tokens
    self.probabilities = probabilities
    self.tail = tail
  }

  /// The `limit` likeliest tokens of a row of logits; of equals, the first.
  public init(ofLogits logits: UnsafeMutableBufferPointer<Float>, limit: Int) {
    var best: [(score: Float, token: Int)] = []
    var threshold = -Float.infinity
    for token in 0..<logits.count where logits[token] > threshold || best.count < limit {
      let place = best.firstIndex { $0.score < logits[token] } ?? best.count
      best.insert((logits[token], token), at: place)
      if best.count > limit { best.removeLast() }
      if best.count == limit { threshold = best[limit - 1].score }
    }
    let maximum = best.first?.score ?? 0
    let total = logits.reduce(0.0) { $0 + exp(Double($1 - maximum)) }
    tokens = best.map { UInt32($0.token) }
    let exact = best.map { exp(Double($0.score - maximum)) / total }
    probabilities = exact.map { Float($0) }
    tail = Float(max(0, 1 - exact.reduce(0, +)))
  }

  /// Forward KL of a student's logits, which become its gradient times `slope`.
  ///
  /// The gradient is pₛ − pₜ for a named token; for the others pₛ · (1 − tailₜ / tailₛ).
  func divergence(replacing logits: UnsafeMutableBufferPointer<Float>, slope: Float) -> Float {
    let named = tokens.map { logits[Int($0)] }
    let (maximum, sum) = exponentiate(logits.baseAddress!, count: logits.count)
    let own = named.map { Double(exp($0 - maximum) / sum) }
    let ownTail = max(1 - own.reduce(0, +), 1e-9)
    var loss = tail > 0 ? Double(tail) * (log(Double(tail)) - log(ownTail)) : 0
    for (probability, score) in zip(probabilities, named) where probability > 0 {
      loss += Double(probability) * (log(Double(probability)) - Double(score - maximum - log(sum)))
    }
    let rest = slope / sum * Float(1 - Double(tail) / ownTail)
    shiftAndScale(logits.baseAddress!, by: 0, factor: rest, into: logits.baseAddress!, logits.count)
    for (index, token) in tokens.enumerated() {
      logits[Int(token)] = slope * (Float(own[index]) - probabilities[index])
    }
    return Float(loss)
  }
}
