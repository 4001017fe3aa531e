internal import ModelArchitectures
public import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// Throws if what training makes of this model could not be written in the formats that it has now.
  public func checkTrainable(_ fileFormat: FileFormat) throws {
    if let key = weights.first(where: { $0.value.scale != nil })?.key {
      throw CompressionError(
        .invalidSettings,
        "'\(path)' holds scaled codes ('\(huggingFaceName(of: key))' is \(weights[key]!.format)); train first, then quantize"
      )
    }
    if let key = weights.first(where: { $0.value.format.codec == nil })?.key {
      throw CompressionError(
        .invalidSettings,
        "'\(huggingFaceName(of: key))' is \(weights[key]!.format), which cannot be written; convert the student first")
    }
    guard fits(fileFormat) else {
      throw CompressionError(
        .invalidSettings, "'\(path)' has formats that a \(fileFormat.rawValue) cannot hold; convert the student first")
    }
  }
}
