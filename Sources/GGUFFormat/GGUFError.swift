/// Why a file is not a GGUF file this package reads, or why a plan cannot be written as one.
///
/// There is one code per rule of the format; two errors are equal when their codes are.
public struct GGUFError: Error, Equatable, CustomStringConvertible {
  public enum Code: String, CaseIterable, Sendable {
    // Header.
    /// The first four bytes are not `GGUF`.
    case magic
    /// A version that does not exist or is newer than 3.
    case version
    /// Version 1, which used 32-bit counts and is read by no current program.
    case version1
    /// The file ends inside the header, the metadata or the tensor table.
    case truncated
    /// More tensors declared than the file has room for.
    case tensorCount
    /// More key-value pairs declared than the file has room for.
    case keyValueCount

    // Metadata.
    /// A string of more than 1 GiB.
    case stringLength
    case keyEmpty
    /// A key of more than 65,535 bytes.
    case keyLength
    /// A key that is not UTF-8.
    case keyEncoding
    case duplicateKey
    /// A value type outside the table.
    case valueType
    /// An array of arrays: in the specification, but read by no known program.
    case nestedArray
    /// An array of more than 2^30 elements.
    case arrayLength
    /// A boolean byte that is neither 0 nor 1.
    case boolValue
    /// `general.alignment` is not a 32-bit unsigned integer.
    case alignmentType
    /// The alignment is not a power of two.
    case alignmentValue

    // Tensor table.
    /// A tensor name of more than 63 bytes.
    case tensorNameLength
    /// A tensor name that is not UTF-8.
    case tensorNameEncoding
    case duplicateTensor
    /// More than four dimensions.
    case dimensionCount
    /// A dimension below zero or above 2^63 - 1.
    case dimension
    /// The product of the dimensions overflows.
    case elementCount
    /// A GGML type that is not in the table.
    case elementType
    /// A GGML type that once existed and was removed.
    case removedElementType
    /// A row that is not a whole number of blocks.
    case rowLength
    /// The size of a tensor in bytes overflows.
    case byteCount
    /// The size of a tensor overflows when it is padded to the alignment.
    case paddingOverflow
    /// The sum of the tensor sizes overflows.
    case dataSizeOverflow
    /// A tensor that does not start where the previous one ends.
    case tensorOffset

    // Data.
    /// The file ends before the data section begins.
    case dataMissing
    /// The file ends before the last tensor does.
    case dataTruncated
    /// Tensor data of a big-endian file was asked for.
    case byteOrder

    // Split files.
    /// A split key is missing, has another type or is out of range.
    case splitKey
    /// A split file whose name is not `name-00001-of-00003.gguf` with its own numbers.
    case splitName
    /// One file of the set does not exist.
    case splitMissing
    /// A file of the set carries another number than its name.
    case splitNumber
    /// The files of the set disagree about how many there are.
    case splitCount
    /// The files together do not hold the declared number of tensors.
    case splitTensorCount

    // Writing.
    /// The bytes given for a tensor are not as many as its shape needs.
    case tensorData
  }

  public let code: Code
  /// One line that names the thing, what was expected and what was found.
  public let message: String
  /// The file, where one is known.
  public internal(set) var path: String?

  public init(_ code: Code, _ message: String, path: String? = nil) {
    self.code = code
    self.message = message
    self.path = path
  }

  public static func == (a: Self, b: Self) -> Bool { a.code == b.code }

  public var description: String {
    guard let path else { return message }
    return "'\(path)': \(message)"
  }
}
