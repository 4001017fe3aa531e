import GGUFFormat
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

@Suite struct GGUFValueTests {
  @Test func anyIntegerTypeIsAnInt() {
    let values: [GGUFValue] = [
      .uint8(7), .int8(7), .uint16(7), .int16(7), .uint32(7), .int32(7), .uint64(7), .int64(7),
    ]
    for value in values {
      #expect(value.int == 7)
      #expect(value.double == 7)
    }
    #expect(GGUFValue.uint64(.max).int == nil)
    #expect(GGUFValue.uint64(1 << 63).double == 0x1p63)
    #expect(GGUFValue.int64((1 << 53) + 1).double == nil)
    #expect(GGUFValue.float32(7).int == nil)
    #expect(GGUFValue.bool(true).int == nil)
  }

  @Test func anyFloatTypeIsADouble() {
    #expect(GGUFValue.float32(0.1).double == Double(Float(0.1)))
    #expect(GGUFValue.float64(0.1).double == 0.1)
    #expect(GGUFValue("0.1").double == nil)
  }

  @Test func stringsThatAreNotTextKeepTheirBytes() {
    let raw = GGUFString(bytes: [0x61, 0xFF])
    #expect(raw.text == nil)
    #expect(raw.description == "a\u{FFFD}")
    #expect(GGUFValue.string(raw).string == nil)
    #expect(GGUFValue.string(raw).rawString?.bytes == [0x61, 0xFF])
    let array = GGUFArray([raw, "b"])
    #expect(array.strings == nil)
    #expect(array.rawStrings == [raw, "b"])
  }

  @Test func canonicallyEquivalentStringsDiffer() {
    #expect("\u{E9}" == "e\u{301}")
    #expect(GGUFString("\u{E9}") != GGUFString("e\u{301}"))
    #expect(GGUFArray(["\u{E9}"]) != GGUFArray(["e\u{301}"]))
  }

  @Test func integerArraysDecodeExactly() {
    #expect(GGUFArray([UInt8.max]).ints == [255])
    #expect(GGUFArray([Int8.min]).ints == [-128])
    #expect(GGUFArray([UInt16.max]).ints == [65535])
    #expect(GGUFArray([Int16.min]).ints == [-32768])
    #expect(GGUFArray([UInt32.max]).ints == [4_294_967_295])
    #expect(GGUFArray([Int32.min, 1]).ints == [-2_147_483_648, 1])
    #expect(GGUFArray([Int64.min]).ints == [.min])
    #expect(GGUFArray([UInt64(1)]).ints == [1])
    #expect(GGUFArray([UInt64.max]).ints == nil)
    #expect(GGUFArray([Float(1)]).ints == nil)
  }

  @Test func otherArraysDecode() {
    #expect(GGUFArray([Float(0.1), -1]).floats == [0.1, -1])
    #expect(GGUFArray([Float(0.5)]).doubles == [0.5])
    #expect(GGUFArray([0.1]).doubles == [0.1])
    #expect(GGUFArray([0.1]).floats == nil)
    #expect(GGUFArray([true, false]).bools == [true, false])
    #expect(GGUFArray(["", "é"]).strings == ["", "é"])
    #expect(GGUFValue([Int32(3)]).ints == [3])
    #expect(GGUFArray([Int32]()).ints == [])
    #expect(GGUFArray(["a"]).ints == nil)
  }

  @Test func arraysCompareByContentWhereverTheyLie() throws {
    let file = try GGUFFile(path: Fixture.path("gguf/valid/model.gguf"))
    let tokens = try #require(file.metadata["tokenizer.ggml.tokens"])
    #expect(tokens == GGUFValue(["<s>", "a", "Ġb", "é"]))
    #expect(tokens.hashValue == GGUFValue(["<s>", "a", "Ġb", "é"]).hashValue)
    #expect(tokens != GGUFValue(["<s>", "a", "Ġb", "e"]))
    #expect(tokens.array?.prefix(2) == [GGUFValue("<s>"), GGUFValue("a")])
    #expect(tokens.description == "[str x 4]")
    #expect(GGUFArray([Int32(1)]) != GGUFArray([UInt32(1)]))
  }

  @Test func formatsAndTypeNumbersMatchOneToOne() {
    let pairs = (0..<64).compactMap { id in ElementFormat(ggmlType: id).map { (id, $0) } }
    #expect(pairs.count == 35)
    for (id, format) in pairs { #expect(format.ggmlType == id) }
    #expect(ElementFormat.f8E4M3.ggmlType == nil)
    for removed: UInt32 in [4, 5, 31, 32, 33, 36, 37, 38] { #expect(ElementFormat(ggmlType: removed) == nil) }
  }
}
