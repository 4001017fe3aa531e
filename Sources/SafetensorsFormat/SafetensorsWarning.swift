/// Something the format or its reference reader accepts, but that other readers may not, or that looks like a mistake.
public struct SafetensorsWarning: Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable, CaseIterable {
    /// White space before the header's brace. The format's text wants the brace first; the reference reader does not insist.
    case leadingWhitespace
    /// White space other than spaces behind the header.
    case unusualPadding
    /// The data does not start at a multiple of eight bytes.
    case unalignedData
    /// A tensor's data does not start at a multiple of its element size: not readable in place everywhere.
    case unalignedTensor
    /// `__metadata__` is null.
    case nullMetadata
    /// A field beside dtype, shape and data_offsets.
    case unknownField
    /// A tensor described by an array instead of an object.
    case arrayEntry
    case emptyName
    /// A control character in a tensor name.
    case controlCharacterInName
    /// A file of a sharded set holds a tensor that the index does not list.
    case unlistedTensor
    /// `total_size` of the index is not the sum of the tensors' bytes.
    case wrongTotalSize
  }

  public let code: Code
  /// The first thing it was found at: a tensor name, or empty when it concerns the whole header.
  public let subject: String
  /// At how many things it was found.
  public var count: Int

  public var description: String {
    let place = subject.isEmpty && code != .emptyName ? "" : "tensor \(quoted(subject)): "
    let more = count > 1 ? " (and \(count - 1) more)" : ""
    return place + code.text + more
  }
}

extension SafetensorsWarning.Code {
  var text: String {
    switch self {
    case .leadingWhitespace: "white space before the header"
    case .unusualPadding: "header padded with something other than spaces"
    case .unalignedData: "data does not start at a multiple of 8 bytes"
    case .unalignedTensor: "data does not start at a multiple of the element size"
    case .nullMetadata: "__metadata__ is null"
    case .unknownField: "unknown field"
    case .arrayEntry: "described by an array, not an object"
    case .emptyName: "empty name"
    case .controlCharacterInName: "control character in the name"
    case .unlistedTensor: "not listed in the index"
    case .wrongTotalSize: "total_size of the index is not the sum of the tensors"
    }
  }
}

/// Gathers warnings, one of a kind, so that a hostile header cannot make millions.
struct WarningList {
  private(set) var warnings: [SafetensorsWarning] = []

  mutating func add(_ code: SafetensorsWarning.Code, _ subject: String = "") {
    add(SafetensorsWarning(code: code, subject: subject, count: 1))
  }

  mutating func add(_ warning: SafetensorsWarning) {
    if let index = warnings.firstIndex(where: { $0.code == warning.code }) {
      warnings[index].count += warning.count
    } else {
      warnings.append(warning)
    }
  }
}
