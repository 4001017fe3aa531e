/// Why a checkpoint cannot be opened, understood or written.
public struct CheckpointError: Error, Equatable, CustomStringConvertible {
  public enum Code: Sendable {
    /// Nothing at the path, or nothing that is a model.
    case notFound
    /// A file that would run code when loaded, or another format that is not read.
    case refusedFile
    case invalidConfig, unsupportedFamily, unsupportedFeature
    case missingTensor, unknownTensor, wrongShape, wrongFormat
    /// A value does not fit the format asked for.
    case valueOutOfRange
    /// The target format cannot say what the model means.
    case notExpressible
    /// Kept indices that do not make a model.
    case invalidCut
    case noTokenizer
    case noSpace
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
