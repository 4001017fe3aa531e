internal import ArgumentParser
internal import ModelCompression

/// `50%`, `4.5B`, `350M`, `1000000`
struct ParameterGoal: ExpressibleByArgument {
  let goal: SizeGoal

  init?(argument: String) {
    if argument.hasSuffix("%") {
      guard let percent = PlainNumber(argument.dropLast()), percent.value > 0, percent.value <= 100 else { return nil }
      goal = .parameterShare(percent.value / 100)
      return
    }
    let factors: [(String, Double)] = [("K", 1e3), ("M", 1e6), ("B", 1e9), ("G", 1e9), ("T", 1e12)]
    let unit = factors.first { argument.uppercased().hasSuffix($0.0) }
    guard let number = PlainNumber(argument.dropLast(unit == nil ? 0 : 1)) else { return nil }
    let count = number.value * (unit?.1 ?? 1)
    guard count >= 1, count < 1e18 else { return nil }
    goal = .parameters(Int(count))
  }
}

/// `6GiB@8192`
struct MemoryGoal: ExpressibleByArgument {
  let goal: SizeGoal

  /// Tokens of a sequence; no cache of more is anywhere near what memory there is.
  static let contextLimit = 1 << 32

  init?(argument: String) {
    let parts = argument.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let size = ByteSize(argument: String(parts[0])), let context = Int(parts[1]),
      (1...Self.contextLimit).contains(context)
    else { return nil }
    goal = .memory(bytes: size.count, context: context)
  }
}

/// `2x`, `1.5x@prefill`, `2@decode`
struct SpeedupGoal: ExpressibleByArgument {
  let goal: SizeGoal

  init?(argument: String) {
    let parts = argument.split(separator: "@", omittingEmptySubsequences: false)
    guard let first = parts.first, parts.count <= 2 else { return nil }
    let factor = PlainNumber(first.last == "x" ? first.dropLast() : first)
    let phase = parts.count == 2 ? SizeGoal.Phase(rawValue: String(parts[1])) : .decode
    guard let factor, factor.value >= 1, factor.value < 1e6, let phase else { return nil }
    goal = .speedup(factor.value, phase)
  }
}

/// `layers,ffn`, `width`, `depth`, `all`
struct CutAxes: ExpressibleByArgument, CustomStringConvertible {
  let dimensions: Set<SizeSpace.Dimension>

  /// In one order, for a key that a later run shall find again.
  var description: String { dimensions.map(\.rawValue).sorted().joined(separator: ",") }

  init?(argument: String) {
    var dimensions: Set<SizeSpace.Dimension> = []
    for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
      switch name {
      case "depth": dimensions.insert(.layers)
      case "width": dimensions.formUnion([.hidden, .intermediate, .queryHeads])
      case "all": dimensions.formUnion(SizeSpace.Dimension.allCases)
      default:
        guard let dimension = SizeSpace.Dimension(rawValue: String(name)) else { return nil }
        dimensions.insert(dimension)
      }
    }
    self.dimensions = dimensions
  }
}

/// Digits with at most one point: no sign, exponent, infinity or hexadecimal.
private struct PlainNumber {
  let value: Double

  init?(_ text: some StringProtocol) {
    guard !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let value = Double(text) else {
      return nil
    }
    self.value = value
  }
}
