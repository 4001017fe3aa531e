#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Numbers for people.
enum NumberText {
  /// A fixed number of decimals: `3.142`.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf" }
    let scale = pow(10, Double(digits))
    // Beyond, units do not fit an integer.
    guard abs(value) < 1e18 / scale else { return scientific(value, digits) }
    let units = Int((abs(value) * scale).rounded(.toNearestOrEven))
    let (whole, rest) = units.quotientAndRemainder(dividingBy: Int(scale))
    let sign = value < 0 && units != 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let fraction = String(rest)
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  /// `1.23e-07`
  static func scientific(_ value: Double, _ digits: Int = 2) -> String {
    guard value != 0 else { return "0" }
    guard value.isFinite else { return fixed(value, 0) }
    var exponent = Int(floor(log10(abs(value))))
    // In two steps, since the power of the smallest numbers is none itself.
    let scaled = value / pow(10, Double(exponent / 2)) / pow(10, Double(exponent - exponent / 2))
    var mantissa = fixed(scaled, digits)
    if mantissa.drop(while: { $0 == "-" }).hasPrefix("10") {
      exponent += 1
      mantissa = fixed(scaled / 10, digits)
    }
    let magnitude = String(abs(exponent))
    return mantissa + "e" + (exponent < 0 ? "-" : "+") + (magnitude.count == 1 ? "0" : "") + magnitude
  }

  /// `98.3 MB`, in powers of ten as disks count.
  static func bytes(_ count: Int) -> String { scaled(Double(count), ["B", "kB", "MB", "GB", "TB", "PB"]) }

  /// `134.5 M`
  static func count(_ count: Int) -> String { quantity(Double(count)) }

  /// The same of what need not be whole or fit an integer, such as the ticks of a chart.
  static func quantity(_ value: Double) -> String { scaled(value, ["", "K", "M", "G", "T", "P"]) }

  static func percent(_ share: Double, _ digits: Int = 1) -> String { fixed(share * 100, digits) + " %" }

  /// `1 h 02 min`, `3 min 20 s`, `12 s`
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let whole = max(0, Int(seconds.rounded()))
    if whole >= 3600 { return "\(whole / 3600) h \(padded(whole % 3600 / 60)) min" }
    if whole >= 60 { return "\(whole / 60) min \(padded(whole % 60)) s" }
    return "\(whole) s"
  }

  private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static func scaled(_ value: Double, _ units: [String]) -> String {
    var value = value
    var unit = 0
    while value >= 999.95, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    let text = unit == 0 ? fixed(value, 0) : fixed(value, 1)
    return units[unit].isEmpty ? text : text + " " + units[unit]
  }
}
