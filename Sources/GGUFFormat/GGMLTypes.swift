public import TensorFormats

/// The numbers that GGUF gives to element formats (`enum ggml_type` of ggml.h).
enum GGMLTypes {
  static let table: [(id: UInt32, format: ElementFormat)] = [
    (0, .f32), (1, .f16), (2, .q4_0), (3, .q4_1), (6, .q5_0), (7, .q5_1), (8, .q8_0), (9, .q8_1),
    (10, .q2_K), (11, .q3_K), (12, .q4_K), (13, .q5_K), (14, .q6_K), (15, .q8_K),
    (16, .iq2_XXS), (17, .iq2_XS), (18, .iq3_XXS), (19, .iq1_S), (20, .iq4_NL), (21, .iq3_S), (22, .iq2_S),
    (23, .iq4_XS), (24, .i8), (25, .i16), (26, .i32), (27, .i64), (28, .f64), (29, .iq1_M), (30, .bf16),
    (34, .tq1_0), (35, .tq2_0), (39, .mxfp4), (40, .nvfp4), (41, .q1_0), (42, .q2_0),
  ]

  /// Formats that old files may still name: their layout was given up, so nothing can read them.
  static let removed: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8",
    36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8",
  ]

  static let formats = Dictionary(uniqueKeysWithValues: table.map { ($0.id, $0.format) })
  static let ids = Dictionary(uniqueKeysWithValues: table.map { ($0.format, $0.id) })
}

extension ElementFormat {
  /// The format of a GGML type number; nil if there is none or it was removed.
  public init?(ggmlType: UInt32) {
    guard let format = GGMLTypes.formats[ggmlType] else { return nil }
    self = format
  }

  /// The GGML type number; nil if GGUF has no such format (every FP8 format, for one).
  public var ggmlType: UInt32? { GGMLTypes.ids[self] }
}
