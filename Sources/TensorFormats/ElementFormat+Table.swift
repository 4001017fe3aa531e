extension ElementFormat {
  // Scalars. F6 and F4 are packed: four 6-bit elements in three bytes, two 4-bit elements in one.
  public static let bool = Self("BOOL", .boolean, bytes: 1)
  public static let u8 = Self("U8", .integer, bytes: 1)
  public static let i8 = Self("I8", .integer, bytes: 1)
  public static let u16 = Self("U16", .integer, bytes: 2)
  public static let i16 = Self("I16", .integer, bytes: 2)
  public static let u32 = Self("U32", .integer, bytes: 4)
  public static let i32 = Self("I32", .integer, bytes: 4)
  public static let u64 = Self("U64", .integer, bytes: 8)
  public static let i64 = Self("I64", .integer, bytes: 8)
  public static let f4 = Self("F4", .float, block: 2, bytes: 1)
  public static let f6E2M3 = Self("F6_E2M3", .float, block: 4, bytes: 3)
  public static let f6E3M2 = Self("F6_E3M2", .float, block: 4, bytes: 3)
  public static let f8E4M3 = Self("F8_E4M3", .float, bytes: 1)
  public static let f8E5M2 = Self("F8_E5M2", .float, bytes: 1)
  public static let f8E8M0 = Self("F8_E8M0", .float, bytes: 1)
  public static let f8E4M3FNUZ = Self("F8_E4M3FNUZ", .float, bytes: 1)
  public static let f8E5M2FNUZ = Self("F8_E5M2FNUZ", .float, bytes: 1)
  public static let f16 = Self("F16", .float, bytes: 2)
  public static let bf16 = Self("BF16", .float, bytes: 2)
  public static let f32 = Self("F32", .float, bytes: 4)
  public static let f64 = Self("F64", .float, bytes: 8)
  public static let c64 = Self("C64", .complex, bytes: 8)

  // GGML blocks; sizes as in ggml-common.h.
  public static let q4_0 = Self("Q4_0", .quantizedBlock, block: 32, bytes: 18)
  public static let q4_1 = Self("Q4_1", .quantizedBlock, block: 32, bytes: 20)
  public static let q5_0 = Self("Q5_0", .quantizedBlock, block: 32, bytes: 22)
  public static let q5_1 = Self("Q5_1", .quantizedBlock, block: 32, bytes: 24)
  public static let q8_0 = Self("Q8_0", .quantizedBlock, block: 32, bytes: 34)
  public static let q8_1 = Self("Q8_1", .quantizedBlock, block: 32, bytes: 36)
  public static let q2_K = Self("Q2_K", .quantizedBlock, block: 256, bytes: 84)
  public static let q3_K = Self("Q3_K", .quantizedBlock, block: 256, bytes: 110)
  public static let q4_K = Self("Q4_K", .quantizedBlock, block: 256, bytes: 144)
  public static let q5_K = Self("Q5_K", .quantizedBlock, block: 256, bytes: 176)
  public static let q6_K = Self("Q6_K", .quantizedBlock, block: 256, bytes: 210)
  public static let q8_K = Self("Q8_K", .quantizedBlock, block: 256, bytes: 292)
  public static let iq2_XXS = Self("IQ2_XXS", .quantizedBlock, block: 256, bytes: 66)
  public static let iq2_XS = Self("IQ2_XS", .quantizedBlock, block: 256, bytes: 74)
  public static let iq3_XXS = Self("IQ3_XXS", .quantizedBlock, block: 256, bytes: 98)
  public static let iq1_S = Self("IQ1_S", .quantizedBlock, block: 256, bytes: 50)
  public static let iq4_NL = Self("IQ4_NL", .quantizedBlock, block: 32, bytes: 18)
  public static let iq3_S = Self("IQ3_S", .quantizedBlock, block: 256, bytes: 110)
  public static let iq2_S = Self("IQ2_S", .quantizedBlock, block: 256, bytes: 82)
  public static let iq4_XS = Self("IQ4_XS", .quantizedBlock, block: 256, bytes: 136)
  public static let iq1_M = Self("IQ1_M", .quantizedBlock, block: 256, bytes: 56)
  public static let tq1_0 = Self("TQ1_0", .quantizedBlock, block: 256, bytes: 54)
  public static let tq2_0 = Self("TQ2_0", .quantizedBlock, block: 256, bytes: 66)
  public static let mxfp4 = Self("MXFP4", .quantizedBlock, block: 32, bytes: 17)
  public static let nvfp4 = Self("NVFP4", .quantizedBlock, block: 64, bytes: 36)
  public static let q1_0 = Self("Q1_0", .quantizedBlock, block: 128, bytes: 18)
  public static let q2_0 = Self("Q2_0", .quantizedBlock, block: 64, bytes: 18)

  /// Every format that a supported file can contain.
  public static let all: [ElementFormat] = [
    bool, u8, i8, u16, i16, u32, i32, u64, i64,
    f4, f6E2M3, f6E3M2, f8E4M3, f8E5M2, f8E8M0, f8E4M3FNUZ, f8E5M2FNUZ, f16, bf16, f32, f64, c64,
    q4_0, q4_1, q5_0, q5_1, q8_0, q8_1, q2_K, q3_K, q4_K, q5_K, q6_K, q8_K,
    iq2_XXS, iq2_XS, iq3_XXS, iq1_S, iq4_NL, iq3_S, iq2_S, iq4_XS, iq1_M, tq1_0, tq2_0, mxfp4, nvfp4, q1_0, q2_0,
  ]

  static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
