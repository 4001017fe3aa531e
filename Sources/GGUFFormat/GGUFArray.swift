internal import TensorFormats

/// An array of metadata values of one type.
///
/// The elements stay encoded, in the file's mapping if they came from a file, so opening a file with a large vocabulary costs
/// one pass over the lengths. Each accessor decodes the whole array: call it once and keep the result.
public struct GGUFArray: Sendable {
  /// The type of every element; never `array`.
  public let elementType: GGUFValueType
  public let count: Int
  private let storage: Storage

  /// The elements in little-endian order; a string is its 64-bit length and its bytes.
  private enum Storage: Sendable {
    case owned([UInt8])
    case mapped(MappedFile, Range<Int>)
  }

  /// The elements as a version 3 little-endian file holds them: the numbers one after the other; for strings, each with its
  /// 64-bit length before it.
  public func withEncodedBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    switch storage {
    case .mapped(let file, let range): return try file.withBytes(in: range, body)
    case .owned(let bytes):
      return try bytes.withUnsafeBufferPointer { buffer throws(Failure) in try body(UnsafeRawBufferPointer(buffer)) }
    }
  }

  /// `bytes` must be valid: `count` elements and nothing else.
  init(elementType: GGUFValueType, count: Int, validated bytes: [UInt8]) {
    self.elementType = elementType
    self.count = count
    storage = .owned(bytes)
  }

  init(elementType: GGUFValueType, count: Int, validated range: Range<Int>, of file: MappedFile) {
    self.elementType = elementType
    self.count = count
    storage = .mapped(file, range)
  }
}

extension GGUFArray: Hashable {
  public static func == (a: Self, b: Self) -> Bool {
    guard a.elementType == b.elementType, a.count == b.count else { return false }
    return a.withEncodedBytes { left in
      b.withEncodedBytes { right in left.count == right.count && left.elementsEqual(right) }
    }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(elementType)
    hasher.combine(count)
    withEncodedBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.prefix(64))) }
  }
}

extension GGUFArray: CustomStringConvertible {
  public var description: String { "[\(elementType) x \(count)]" }
}
