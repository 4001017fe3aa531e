public import TensorFormats

/// A tensor of a GGUF file and where its bytes are.
public struct GGUFEntry: Hashable, Sendable {
  public let info: TensorInfo
  /// Bytes of the tensor, counted from the start of the file, padding not included.
  public let range: Range<Int>

  public var name: String { info.name }

  init(_ info: TensorInfo, _ range: Range<Int>) {
    self.info = info
    self.range = range
  }
}
