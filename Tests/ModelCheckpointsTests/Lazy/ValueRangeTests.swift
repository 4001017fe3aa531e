import TensorFormats
import Testing

@testable import ModelCheckpoints

/// The border between what a format holds and what it does not.
@Suite struct ValueRangeTests {
  static let formats: [ElementFormat] = [.f16, .bf16, .q8_0, .q4_0, .q4_1]

  private func convert(_ value: Float, to format: ElementFormat) throws -> [Float] {
    var values = [Float](repeating: 0, count: 64)
    values[37] = value
    return try LazyTensor(values, shape: [2, 32]).converted(to: format, name: "x").decoded()
  }

  @Test(arguments: formats) func theLargestValueStaysFinite(format: ElementFormat) throws {
    let limit = try #require(format.largestFinite)
    for value in [limit, -limit] {
      #expect(try convert(value, to: format).allSatisfy(\.isFinite))
      expectError(.valueOutOfRange, naming: "'x'", "row 1", "column 5", format.name) {
        _ = try convert(value.sign == .minus ? value.nextDown : value.nextUp, to: format)
      }
    }
  }

  @Test func theLimitsOfTheFloatsAreExact() throws {
    #expect(Float(bitPattern: ElementFormat.bf16.largestFinite!.bitPattern + 1).bitPattern == 0x7F7F_8000)
    #expect(ElementFormat.f16.largestFinite!.nextUp == 65520)
  }

  @Test(arguments: [ElementFormat.q8_0, .q4_0, .q4_1]) func blocksCannotHoldWhatIsNoNumber(format: ElementFormat) {
    for value in [Float.nan, .infinity, -.infinity] {
      expectError(.valueOutOfRange, naming: "'x'", "row 1") { _ = try convert(value, to: format) }
    }
  }

  @Test(arguments: [ElementFormat.f16, .bf16, .f32]) func floatsKeepWhatIsNoNumber(format: ElementFormat) throws {
    #expect(try convert(.nan, to: format)[37].isNaN)
    #expect(try convert(-.infinity, to: format)[37] == -.infinity)
  }
}
