import TensorFormats
import Testing

@Suite struct Float8Tests {
  private let every = (0...UInt8.max).map { $0 }

  @Test func everyE4M3CodeHasTheValueOfMLDtypes() throws {
    #expect(Float8E4M3.values.map(\.canonicalBits) == (try CodecFixture.elements("e4m3.f32", of: UInt32.self)))
    #expect(every.map(Float8E4M3.decode).map(\.bitPattern) == Float8E4M3.values.map(\.bitPattern))
  }

  @Test func everyE5M2CodeHasTheValueOfMLDtypes() throws {
    #expect(Float8E5M2.values.map(\.canonicalBits) == (try CodecFixture.elements("e5m2.f32", of: UInt32.self)))
  }

  @Test func everyNumberEncodesToItself() {
    for code in every where !Float8E4M3.decode(code).isNaN {
      #expect(Float8E4M3.encode(Float8E4M3.decode(code), overflow: .saturate) == code)
      #expect(Float8E4M3.encode(Float8E4M3.decode(code), overflow: .notANumber) == code)
    }
    for code in every where !Float8E5M2.decode(code).isNaN {
      #expect(Float8E5M2.encode(Float8E5M2.decode(code)) == code)
    }
  }

  @Test(
    arguments: [
      (448, 0x7E, 0x7E), (463.9, 0x7E, 0x7E), (464, 0x7E, 0x7E), (464.1, 0x7E, 0x7F), (1e9, 0x7E, 0x7F),
      (.infinity, 0x7E, 0x7F), (-.infinity, 0xFE, 0xFF), (-500, 0xFE, 0xFF), (.nan, 0x7F, 0x7F), (-.nan, 0xFF, 0xFF),
      (0x1p-10, 0, 0), (-0x1.8p-10, 0x81, 0x81), (-0.0, 0x80, 0x80),
    ] as [(Float, UInt8, UInt8)])
  func overflowIsAPolicy(value: Float, saturated: UInt8, notSaturated: UInt8) {
    #expect(Float8E4M3.encode(value, overflow: .saturate) == saturated)
    #expect(Float8E4M3.encode(value, overflow: .notANumber) == notSaturated)
  }

  @Test(
    arguments: [
      (57344, 0x7B, 0x7B), (61439, 0x7B, 0x7B), (61440, 0x7C, 0x7B), (-1e9, 0xFC, 0xFB), (.infinity, 0x7C, 0x7B),
      (.nan, 0x7F, 0x7F),
    ] as [(Float, UInt8, UInt8)])
  func e5m2OverflowsToInfinityUnlessToldOtherwise(value: Float, code: UInt8, saturated: UInt8) {
    #expect(Float8E5M2.encode(value) == code)
    #expect(Float8E5M2.encode(value, overflow: .saturate) == saturated)
  }

  @Test func scalarsEncodeAsTheDefinitionSays() {
    for value in CodecFixture.scalars {
      #expect(Int(Float8E4M3.encode(value, overflow: .saturate)) == ReferenceFloatFormat.e4m3Saturating.encode(value))
      #expect(Int(Float8E4M3.encode(value, overflow: .notANumber)) == ReferenceFloatFormat.e4m3NotANumber.encode(value))
      #expect(Int(Float8E5M2.encode(value)) == ReferenceFloatFormat.e5m2.encode(value))
      #expect(Int(Float8E5M2.encode(value, overflow: .saturate)) == ReferenceFloatFormat.e5m2Saturating.encode(value))
    }
  }

  @Test func scalarsEncodeAsTorchAndMLDtypesDo() throws {
    let scalars = CodecFixture.scalars
    #expect(checksum(of: scalars) == CodecFixture.manifest["scalars"]!["inputs"]!.string)
    #expect(
      scalars.map { Float8E4M3.encode($0, overflow: .saturate) } == (try CodecFixture.bytes("scalars.e4m3_saturate")))
    #expect(
      scalars.map { Float8E4M3.encode($0, overflow: .notANumber) }
        == (try CodecFixture.bytes("scalars.e4m3_not_a_number")))
    #expect(scalars.map { Float8E5M2.encode($0) } == (try CodecFixture.bytes("scalars.e5m2")))
  }

  @Test func rowsAreDividedAndEncodedAsTorchDoes() throws {
    for row in CodecFixture.manifest["e4m3_divided"]!.array! {
      let divisor = Float(bitPattern: UInt32(row["divisor"]!.int!))
      var codes = [UInt8](repeating: 0, count: CodecFixture.scalars.count)
      CodecFixture.scalars.withUnsafeBufferPointer { values in
        codes.withUnsafeMutableBytes { Float8E4M3.encode(values, dividingBy: divisor, into: $0) }
      }
      #expect(checksum(of: codes) == row["codes"]!.string, "divided by \(divisor)")
    }
  }
}
