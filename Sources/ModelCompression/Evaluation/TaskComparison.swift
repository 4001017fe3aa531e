#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Two models on the same questions. What both answer right or both wrong says nothing about which is better.
public struct TaskComparison: Sendable, Codable, Equatable {
  /// Questions that only the first model answered right.
  public let onlyFirst: Int
  /// Questions that only the second answered right.
  public let onlySecond: Int
  /// How likely a split as uneven as this, or more, is for two equally good models: McNemar's test, exact and two-sided.
  public let probability: Double

  /// By `acc` of two results on the same items.
  public init(_ first: TaskResult, _ second: TaskResult) {
    precondition(first.questions.items == second.questions.items, "two models are compared on the same questions")
    let answers = zip(first.isRight, second.isRight)
    self.init(onlyFirst: answers.count { $0 && !$1 }, onlySecond: answers.count { !$0 && $1 })
  }

  init(onlyFirst: Int, onlySecond: Int) {
    self.onlyFirst = onlyFirst
    self.onlySecond = onlySecond
    let count = onlyFirst + onlySecond
    // Each such question is a toss of a coin: the tail of the binomial distribution, twice.
    let tail = (0...min(onlyFirst, onlySecond)).reduce(0.0) { sum, k in
      let logarithm = lgamma(Double(count + 1)) - lgamma(Double(k + 1)) - lgamma(Double(count - k + 1))
      return sum + exp(logarithm - Double(count) * log(2.0))
    }
    probability = min(1, 2 * tail)
  }
}
