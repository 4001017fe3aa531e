import TensorFormats
import Testing

@Suite struct TensorInfoTests {
  @Test(
    arguments: [
      (.f32, [], 4), (.f32, [0], 0), (.bf16, [2, 3], 12), (.f32, [5, 0, 7], 0), (.f64, [1, 1, 1, 1, 1], 8),
      (.bool, [3], 3),
      (.q8_0, [2, 64], 136), (.q4_1, [32], 20), (.q4_0, [0, 32], 0), (.q6_K, [3, 512], 1260),
      (.f4, [3, 2], 3), (.f4, [2, 1], 1), (.f6E2M3, [4], 3),
    ] as [(ElementFormat, [Int], Int)])
  func sizesFollowFromFormatAndShape(format: ElementFormat, shape: [Int], bytes: Int) {
    #expect(TensorInfo(name: "x", format: format, shape: shape).byteCount == bytes)
  }

  @Test(
    arguments: [
      (.f32, [.max]), (.f32, [1 << 61]), (.u8, [1 << 32, 1 << 32]), (.u8, [.max, 2, 0]), (.f32, [-1]),
      (.f32, [2, -3, -1]),
      (.q8_0, [33]), (.q8_0, [32, 16]), (.q8_0, [.max / 32 * 32]), (.q4_0, []), (.f4, [3]), (.f6E3M2, [6]),
      (.c64, [1 << 60]),
    ] as [(ElementFormat, [Int])])
  func impossibleSizesAreNil(format: ElementFormat, shape: [Int]) {
    #expect(TensorInfo(name: "x", format: format, shape: shape).byteCount == nil)
  }

  @Test(
    arguments: [([], 1, 1), ([5], 1, 5), ([2, 3], 2, 3), ([2, 3, 4], 6, 4), ([0, 3], 0, 3), ([3, 0], 3, 0)]
      as [([Int], Int, Int)])
  func theLastDimensionIsARow(shape: [Int], rows: Int, length: Int) {
    let info = TensorInfo(name: "x", format: .f32, shape: shape)
    #expect(info.rowCount == rows)
    #expect(info.rowLength == length)
    #expect(info.elementCount == rows * length)
  }
}
