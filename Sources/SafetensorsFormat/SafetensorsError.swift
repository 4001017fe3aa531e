public import TensorFormats

/// Why a safetensors file, a set of shards or a request to write one was refused. One code for each rule.
///
/// The rules are those of `SafeTensorError` in huggingface/safetensors, `safetensors/src/tensor.rs`, whose single
/// `InvalidHeaderDeserialization` is split here by what is wrong with the header.
public struct SafetensorsError: Error, Equatable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    // The header, as bytes and as JSON.
    case headerTooSmall, headerTooLarge, invalidHeaderLength
    case invalidHeaderUTF8, invalidHeaderJSON, headerNotAnObject
    /// A tensor name that stands twice. Stricter than the reference, for which the last one wins.
    case duplicateTensor
    /// A field of a tensor, `__metadata__` or a key in it that stands twice.
    case duplicateKey
    case invalidMetadata, missingField, invalidField, unknownElementFormat
    // Tensors against the data.
    case invalidOffset, validationOverflow, misalignedSlice, tensorInvalidInfo, metadataIncompleteBuffer
    // Requests.
    case tensorNotFound, sliceOutOfRange
    // Writing.
    case unsupportedFormat, reservedName, invalidTensorView
    // Shards.
    case invalidIndex, invalidShardName, tensorNotInShard
    /// The system refused a file operation.
    case file(FileError.Code)
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  init(_ error: FileError) {
    self.init(.file(error.code), error.message)
  }

  /// The same rule, said of the file at `path`.
  func inFile(_ path: String) -> Self {
    if case .file = code { return self }
    return Self(code, "'\(path)': \(message)")
  }

  public static func == (a: Self, b: Self) -> Bool { a.code == b.code }
  public var description: String { message }
}

/// Runs a file operation, its error made one of this module.
func asSafetensorsError<Result>(_ body: () throws(FileError) -> Result) throws(SafetensorsError) -> Result {
  do {
    return try body()
  } catch {
    throw SafetensorsError(error)
  }
}

/// A name from a file as an error message shows it: in quotes, on one line, not longer than 100 characters.
func quoted(_ name: String) -> String {
  var text = ""
  for scalar in name.unicodeScalars.prefix(100) {
    text += scalar.value < 0x20 || scalar.value == 0x7F ? scalar.escaped(asASCII: true) : String(scalar)
  }
  return name.unicodeScalars.dropFirst(100).isEmpty ? "'\(text)'" : "'\(text)…'"
}
