internal import TensorFormats

/// The rules of the tensor table and the data section that hold for reading and for writing.
enum GGUFLayout {
  static let maximumNameLength = 63  // GGML_MAX_NAME is 64, with the final zero
  static let maximumDimensions = 4
  static let maximumKeyLength = 65_535
  static let defaultAlignment = 32

  /// "alignment must be non-zero and a power of two"
  static func check(alignment: Int) throws(GGUFError) {
    guard alignment > 0, alignment & (alignment - 1) == 0 else {
      throw GGUFError(.alignmentValue, "alignment is \(alignment), expected a power of two")
    }
  }

  static func check(key: some Collection<UInt8>) throws(GGUFError) {
    guard !key.isEmpty else { throw GGUFError(.keyEmpty, "a metadata key is empty") }
    guard key.count <= maximumKeyLength else {
      throw GGUFError(.keyLength, "a metadata key has \(key.count) bytes, at most \(maximumKeyLength) are allowed")
    }
  }

  static func check(name: some Collection<UInt8>) throws(GGUFError) {
    guard name.count <= maximumNameLength else {
      let start = String(decoding: name.prefix(maximumNameLength), as: UTF8.self)
      throw GGUFError(
        .tensorNameLength,
        "tensor '\(start)…': the name has \(name.count) bytes, at most \(maximumNameLength) are allowed")
    }
  }

  /// The bytes of a tensor, without padding.
  static func byteCount(of info: TensorInfo) throws(GGUFError) -> Int {
    guard info.shape.count <= maximumDimensions else { throw tooManyDimensions(info.name, info.shape.count) }
    // Zero sizes count as one, so that row counts and strides stay representable too.
    var elements = 1
    for size in info.shape {
      guard size >= 0 else { throw GGUFError(.dimension, "tensor '\(info.name)': dimension is \(size)") }
      let (product, overflow) = elements.multipliedReportingOverflow(by: max(size, 1))
      guard !overflow else { throw GGUFError(.elementCount, "tensor '\(info.name)': shape \(info.shape) overflows") }
      elements = product
    }
    let format = info.format
    guard info.rowLength % format.blockElements == 0 else {
      throw GGUFError(
        .rowLength,
        "tensor '\(info.name)': rows of \(info.rowLength) elements, \(format) needs a multiple of \(format.blockElements)"
      )
    }
    guard let bytes = info.byteCount else {
      throw GGUFError(.byteCount, "tensor '\(info.name)': shape \(info.shape) of \(format) overflows in bytes")
    }
    return bytes
  }

  static func tooManyDimensions(_ name: String, _ count: Int) -> GGUFError {
    GGUFError(.dimensionCount, "tensor '\(name)' has \(count) dimensions, at most \(maximumDimensions) are allowed")
  }

  /// `count` rounded up to a multiple of `alignment`, a power of two; nil on overflow.
  static func padded(_ count: Int, to alignment: Int) -> Int? {
    let (sum, overflow) = count.addingReportingOverflow(alignment - 1)
    return overflow ? nil : sum & ~(alignment - 1)
  }

  /// The end of a tensor of `bytes` bytes that starts at `start`, padded.
  static func end(of name: String, from start: Int, bytes: Int, alignment: Int) throws(GGUFError) -> Int {
    guard let size = padded(bytes, to: alignment) else {
      throw GGUFError(.paddingOverflow, "tensor '\(name)': \(bytes) bytes overflow when padded to \(alignment)")
    }
    let (end, overflow) = start.addingReportingOverflow(size)
    guard !overflow else {
      throw GGUFError(.dataSizeOverflow, "tensor '\(name)': \(size) bytes after \(start) overflow the data section")
    }
    return end
  }
}
