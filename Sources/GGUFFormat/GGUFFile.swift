public import OrderedCollections
public import TensorFormats

/// A GGUF file, mapped and validated: typed metadata and a table of tensors.
///
/// Opening reads the header only and refuses everything that breaks a rule of the format, so that what a `GGUFFile` says can be
/// relied on: every tensor lies inside the file, and no two overlap. The layout, all of it in the byte order of the file:
///
/// 1. `GGUF`, then the version (u32), the number of tensors (u64) and the number of key-value pairs (u64).
/// 2. The pairs: key (string), type (u32), value. A string is a length (u64) and bytes; an array is an element type (u32), a
///    count (u64) and the elements.
/// 3. The tensors: name (string), number of dimensions (u32), sizes from the fastest to the slowest (u64 each), GGML type (u32),
///    offset from the start of the data (u64).
/// 4. Zeros up to a multiple of `general.alignment`, 32 if it is not given; only if there are tensors.
/// 5. The data of each tensor, in the order of the table, without gaps, each padded with zeros to the alignment.
///
/// Versions 2 and 3 are read. Bytes after the last tensor are tolerated, and so is a missing padding after it, as GGML's model
/// loader does. A big-endian file gives its metadata and tensor table, but not its data (`GGUFError.Code.byteOrder`): how the
/// fields of quantized blocks are swapped is written down nowhere.
public struct GGUFFile: Sendable {
  public let file: MappedFile
  public let version: UInt32
  public let isBigEndian: Bool
  /// Bytes to a multiple of which the data section and every tensor are padded.
  public let alignment: Int
  /// Key-value pairs in the order of the file.
  public let metadata: OrderedDictionary<String, GGUFValue>
  /// Tensors in the order of the file, their shapes row-major: the last size is the one the file lists first.
  public let tensors: [GGUFEntry]
  /// Where the data section starts; the end of the header if there are no tensors.
  public let dataOffset: Int
  private let indices: [String: Int]

  /// Maps and reads the file at `path`. Throws `FileError` or `GGUFError`.
  public init(path: String) throws {
    try self.init(file: MappedFile(path: path))
  }

  public init(file: MappedFile) throws(GGUFError) {
    let header: GGUFReader.Header
    do throws(GGUFError) {
      header = try file.withBytes { bytes throws(GGUFError) in try GGUFReader.read(bytes, of: file) }
    } catch {
      throw GGUFError(error.code, error.message, path: file.path)
    }
    self.file = file
    version = header.version
    isBigEndian = header.isBigEndian
    alignment = header.alignment
    metadata = header.metadata
    tensors = header.tensors
    dataOffset = header.dataOffset
    indices = header.indices
  }

  /// The tensor of this name.
  public subscript(name: String) -> GGUFEntry? { indices[name].map { tensors[$0] } }

  /// Calls `body` with the bytes of a tensor of this file; the pointer is valid only inside.
  ///
  /// Throws `GGUFError` for a big-endian file, and what `body` throws.
  public func withBytes<Result>(of entry: GGUFEntry, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result
  {
    guard !isBigEndian else {
      throw GGUFError(
        .byteOrder, "tensor '\(entry.name)': the file is big-endian; convert it to little-endian first", path: file.path
      )
    }
    return try file.withBytes(in: entry.range, body)
  }

  /// Bytes after the last tensor and its padding. A correct writer leaves none.
  public var trailingByteCount: Int {
    let end = tensors.last?.range.upperBound ?? dataOffset
    // Tensors are padded relative to the data section, which starts at a multiple of the alignment itself.
    return max(0, file.byteCount - (GGUFLayout.padded(end, to: alignment) ?? .max))
  }
}
