import Foundation
import TensorFormats
import Testing

@Suite struct ElementFormatTests {
  @Test func namesAreUniqueAndFindTheirFormat() {
    #expect(Set(ElementFormat.all.map { $0.name.uppercased() }).count == ElementFormat.all.count)
    for format in ElementFormat.all {
      #expect(ElementFormat(name: format.name) == format)
      #expect(ElementFormat(name: format.name.lowercased()) == format)
      #expect(format.description == format.name)
    }
    #expect(ElementFormat(name: "F8_E4M3FN") == nil)
    #expect(ElementFormat(name: "") == nil)
  }

  /// The sizes of gguf-py, but for Q8_1, of which version 0.19.0 has an old size, and Q2_0, which it lacks.
  @Test func sizesAreThoseOfGGML() throws {
    let sizes = try #require(CodecFixture.manifest["ggml_quant_sizes"]?.object)
    for (name, size) in sizes where name != "Q8_1" {
      let format = try #require(ElementFormat(name: name))
      #expect([format.blockElements, format.blockBytes] == size.array!.map { $0.int! }, "\(name)")
    }
    let blocks = ElementFormat.all.filter { $0.kind == .quantizedBlock }.map(\.name)
    #expect(Set(blocks).subtracting(sizes.keys) == ["Q2_0"])
    #expect(ElementFormat.q8_1.blockBytes == 36)
    #expect(ElementFormat.q2_0.blockBytes == 18)
  }

  /// Those of safetensors, whose enum names its bits.
  @Test func scalarSizesAreThoseOfSafetensors() {
    let bits: [String: Double] = [
      "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
      "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
      "C64": 64,
      "F64": 64, "I64": 64, "U64": 64,
    ]
    let scalars = ElementFormat.all.filter { $0.kind != .quantizedBlock }
    #expect(Dictionary(uniqueKeysWithValues: scalars.map { ($0.name, $0.bitsPerElement) }) == bits)
    #expect(ElementFormat.q8_0.bitsPerElement == 8.5)
  }

  @Test func byteCountsNeedWholeBlocks() {
    #expect(ElementFormat.q4_0.byteCount(of: 64) == 36)
    #expect(ElementFormat.q4_0.byteCount(of: 63) == nil)
    #expect(ElementFormat.f32.byteCount(of: -4) == nil)
    #expect(ElementFormat.q4_0.byteCount(of: -32) == nil)
    #expect(ElementFormat.f64.byteCount(of: .max) == nil)
    #expect(ElementFormat.u8.byteCount(of: .max) == .max)
    #expect(ElementFormat.f32.byteCount(of: 0) == 0)
  }

  @Test func formatsAreCodedByName() throws {
    let data = try JSONEncoder().encode([ElementFormat.bf16, .q4_1])
    #expect(String(decoding: data, as: UTF8.self) == #"["BF16","Q4_1"]"#)
    #expect(try JSONDecoder().decode([ElementFormat].self, from: data) == [.bf16, .q4_1])
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([ElementFormat].self, from: Data(#"["F12"]"#.utf8))
    }
    #expect(error.map { "\($0)".contains("unknown element format 'F12'") } == true)
  }
}
