/// How the numbers of a tensor are stored as bytes.
///
/// A format is a row of one table: a name and the size of its smallest addressable block. The scalar formats have blocks of
/// one element (or, below eight bits, as many as fill whole bytes); the GGML formats pack 32 to 256 elements with shared scales.
///
/// The name is the one both file formats use: the dtype string of safetensors, the type name of GGML.
public struct ElementFormat: Sendable {
  /// The unique name, for example `BF16`, `F8_E4M3` or `Q8_0`.
  public let name: String
  /// What one element stands for.
  public let kind: Kind
  /// Elements in the smallest block that occupies whole bytes.
  public let blockElements: Int
  /// Bytes of that block.
  public let blockBytes: Int

  public enum Kind: Sendable {
    case float, integer, boolean, complex
    /// Quantized integers with scales stored inside the block (GGML).
    case quantizedBlock
  }

  init(_ name: String, _ kind: Kind, block elements: Int = 1, bytes: Int) {
    self.name = name
    self.kind = kind
    self.blockElements = elements
    self.blockBytes = bytes
  }

  /// The format of this name, upper or lower case; nil if there is none.
  public init?(name: String) {
    guard let format = Self.byName[name.uppercased()] else { return nil }
    self = format
  }

  /// Bytes that `elements` consecutive elements occupy; nil if they do not fill whole blocks or the size overflows.
  public func byteCount(of elements: Int) -> Int? {
    let (blocks, rest) = elements.quotientAndRemainder(dividingBy: blockElements)
    guard elements >= 0, rest == 0 else { return nil }
    let (bytes, overflow) = blocks.multipliedReportingOverflow(by: blockBytes)
    return overflow ? nil : bytes
  }

  /// Mean storage bits of an element, scales included: 16 for BF16, 8.5 for Q8_0.
  public var bitsPerElement: Double { Double(blockBytes * 8) / Double(blockElements) }
}

extension ElementFormat: Hashable, CustomStringConvertible {
  public static func == (a: Self, b: Self) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
  public var description: String { name }
}

extension ElementFormat: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let format = ElementFormat(name: name) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "unknown element format '\(name)'")
    }
    self = format
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
