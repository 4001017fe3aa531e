public import OrderedCollections
public import TensorFormats

/// One safetensors file, mapped and fully checked.
///
/// Opening reads the header only; the data is read when its pages are touched. Symbolic links are followed.
public struct SafetensorsFile: Sendable {
  public let header: SafetensorsHeader
  public let file: MappedFile

  /// Maps and checks the file at `path`.
  /// - Throws: `file` if it cannot be read, otherwise the code of the rule that it breaks.
  public init(path: String) throws(SafetensorsError) {
    let file = try asSafetensorsError { () throws(FileError) in try MappedFile(path: path) }
    do {
      header = try file.withBytes { bytes throws(SafetensorsError) in
        try SafetensorsHeader(parsing: bytes, fileSize: bytes.count)
      }
    } catch {
      throw error.inFile(path)
    }
    self.file = file
  }

  /// The strings under `__metadata__`, in file order.
  public var metadata: OrderedDictionary<String, String> { header.metadata }
  /// The tensors in the order of their data.
  public var tensors: [SafetensorsEntry] { header.tensors }
  /// What was accepted but is better avoided.
  public var warnings: [SafetensorsWarning] { header.warnings }

  public subscript(name: String) -> SafetensorsEntry? { header[name] }

  /// The tensor of this name.
  /// - Throws: `tensorNotFound`.
  public func entry(_ name: String) throws(SafetensorsError) -> SafetensorsEntry {
    guard let entry = header[name] else {
      throw SafetensorsError(.tensorNotFound, "'\(file.path)': no tensor \(quoted(name))")
    }
    return entry
  }

  /// Calls `body` with a tensor's bytes, or with those of `range`, counted from the tensor's start.
  ///
  /// The pointer is valid only inside. `entry` must come from this file, and `range` lie within it.
  public func withBytes<Result, Failure: Error>(
    of entry: SafetensorsEntry, in range: Range<Int>? = nil,
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try file.withBytes(in: fileRange(of: entry, range), body)
  }

  /// Lets the pages of a tensor go, so that a pass over a large file does not grow the resident set.
  public func release(_ entry: SafetensorsEntry) { file.release(entry.range) }

  private func fileRange(of entry: SafetensorsEntry, _ range: Range<Int>?) -> Range<Int> {
    guard let range else { return entry.range }
    precondition(
      range.lowerBound >= 0 && range.upperBound <= entry.range.count,
      "bytes \(range) of tensor \(quoted(entry.name)), which has \(entry.range.count)")
    return entry.range.lowerBound + range.lowerBound..<entry.range.lowerBound + range.upperBound
  }
}
