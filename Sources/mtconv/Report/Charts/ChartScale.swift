#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Numbers along one side of a chart.
struct ChartScale {
  enum Kind { case linear, logarithmic }

  let kind: Kind
  let low: Double
  let high: Double
  /// Where lines and labels stand, ascending.
  let ticks: [Double]
  /// What a tick is called.
  let label: (Double) -> String

  /// A scale that holds all finite values, ends at ticks, and starts at 0 if `fromZero`. A logarithmic one leaves out what is not
  /// above 0.
  init(
    _ values: [Double], _ kind: Kind = .linear, fromZero: Bool = false, tickCount: Int = 5,
    label: ((Double) -> String)? = nil
  ) {
    let usable = values.filter { $0.isFinite && (kind == .linear || $0 > 1e-300) }
    let least = usable.min() ?? (kind == .linear ? 0 : 1)
    let most = usable.max() ?? 1
    self.kind = kind
    switch kind {
    case .linear:
      let low = fromZero ? min(0, least) : least
      let step = Self.step(max(most - low, abs(most) * 1e-6, 1e-300), tickCount)
      let first = (low / step).rounded(.down)
      let last = max((most / step).rounded(.up), first + 1)
      self.low = first * step
      self.high = last * step
      ticks = stride(from: first, through: last, by: 1).map { $0 * step }
      self.label = label ?? { Self.text($0, step: step) }
    case .logarithmic:
      // From the last of 1, 2, 5 times a power of ten that is below all values to the first above.
      let marks = Self.marks(from: least, to: most)
      low = marks[0]
      high = marks[marks.count - 1]
      let powers = marks.filter { log10($0).rounded() == log10($0) }
      let isShort = marks.count <= tickCount + 3
      let step = max(1, (powers.count + tickCount + 1) / (tickCount + 2))
      ticks = isShort ? marks : powers.enumerated().filter { $0.offset.isMultiple(of: step) }.map(\.element)
      self.label = label ?? { Self.text($0, step: $0) }
    }
  }

  /// A scale of whole things such as layers, with room for half of one at each end.
  init(count: Int, label: ((Double) -> String)? = nil) {
    kind = .linear
    low = -0.5
    high = Double(max(count, 1)) - 0.5
    let step = Self.wholeStep(count, 16)
    ticks = stride(from: 0, to: max(count, 1), by: step).map(Double.init)
    self.label = label ?? { "\(Int($0))" }
  }

  /// From 0 at the start to 1 at the end; values outside are drawn at the end.
  func share(_ value: Double) -> Double {
    let share: Double =
      switch kind {
      case .linear: (value - low) / (high - low)
      case .logarithmic: value > 0 ? (log(value) - log(low)) / (log(high) - log(low)) : 0
      }
    return share.isNaN ? 0 : min(1, max(0, share))
  }

  /// A step of 1, 2 or 5 times a power of ten that gives about `count` ticks.
  private static func step(_ extent: Double, _ count: Int) -> Double {
    let rough = extent / Double(count)
    let power = pow(10, log10(rough).rounded(.down))
    let digit = rough / power
    return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10)
  }

  /// 1, 2 and 5 times powers of ten around two positive numbers, ascending, at least two.
  private static func marks(from least: Double, to most: Double) -> [Double] {
    let (first, last) = (Int(log10(least).rounded(.down)), Int(log10(most).rounded(.up)))
    let all = (first...max(last, first)).flatMap { power in
      [1.0, 2, 5].map { power < 0 ? $0 / pow(10, Double(-power)) : $0 * pow(10, Double(power)) }
    }
    let start = all.lastIndex { $0 <= least } ?? 0
    let end = max(start + 1, all.firstIndex { $0 >= most } ?? all.count - 1)
    return Array(all[start...min(end, all.count - 1)])
  }

  private static func wholeStep(_ count: Int, _ limit: Int) -> Int {
    [1, 2, 4, 5, 10, 20, 50, 100].first { count <= $0 * limit } ?? 200
  }

  /// As many decimals as the step needs.
  private static func text(_ value: Double, step: Double) -> String {
    let magnitude = abs(value)
    if magnitude != 0, magnitude < 1e-4 || magnitude >= 1e6 { return NumberText.scientific(value, 0) }
    return NumberText.fixed(value, max(0, Int(-log10(step * 1.000001).rounded(.down))))
  }
}
