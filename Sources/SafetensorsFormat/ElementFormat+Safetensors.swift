public import TensorFormats

extension ElementFormat {
  /// The formats a safetensors file can hold, in the order of the reference's `Dtype`: by rising alignment.
  ///
  /// The writer lays tensors out from the last of these to the first.
  public static let safetensorsFormats: [ElementFormat] = [
    bool, f4, f6E2M3, f6E3M2, u8, i8, f8E5M2, f8E4M3, f8E8M0, f8E4M3FNUZ, f8E5M2FNUZ,
    i16, u16, f16, bf16, i32, u32, f32, c64, f64, i64, u64,
  ]

  /// Whether a safetensors file can hold this format.
  public var isSafetensorsFormat: Bool { safetensorsRank != nil }

  /// Place in `safetensorsFormats`; nil for a format that safetensors does not have.
  var safetensorsRank: Int? { Self.safetensorsRanks[name] }

  /// The format whose dtype string is exactly `dtype`; upper and lower case differ.
  init?(safetensorsDtype dtype: String) {
    guard let rank = Self.safetensorsRanks[dtype] else { return nil }
    self = Self.safetensorsFormats[rank]
  }

  private static let safetensorsRanks = Dictionary(
    uniqueKeysWithValues: zip(safetensorsFormats.map(\.name), safetensorsFormats.indices))
}
