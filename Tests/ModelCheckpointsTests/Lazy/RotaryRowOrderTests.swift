import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct RotaryRowOrderTests {
  @Test func rowsMoveAsReshapeAndSwapaxesMoveThem() throws {
    let cases = try #require(oracle("rotary_rows").object)
    #expect(cases.count >= 6)
    for (name, row) in cases {
      let heads = try #require(row["heads"]?.int)
      let size = try #require(row["headDimension"]?.int)
      let order = RotaryRowOrder.toGGUF(heads: heads, headDimension: size)
      #expect(order == row["toGGUF"]?.array?.compactMap(\.int), "\(name)")
      let back = RotaryRowOrder.toHuggingFace(heads: heads, headDimension: size)
      #expect(back.map { order[$0] } == Array(0..<heads * size), "\(name)")
    }
  }
}
