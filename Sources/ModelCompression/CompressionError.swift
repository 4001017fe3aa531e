/// Why a model cannot be calibrated, pruned, quantized or verified.
public struct CompressionError: Error, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    case invalidPlan
    case invalidSettings
    case invalidTask
    case invalidTokens
    case missingWeight
    case nonFiniteActivation
    case nonFiniteWeight
    case notEnoughText
    case wrongOverlay
    case wrongRecipe
    case diverged
    case wrongState
    case wrongStatistics
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public static func == (a: Self, b: Self) -> Bool { a.code == b.code }
  public var description: String { message }
}
