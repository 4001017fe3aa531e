import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

/// Rows at the edges of the formats, with torch's codes and compressed-tensors' scales (Fixtures/generate/fp8_reference.py).
@Suite struct WeightQuantizerTests {
  private func quantizer(
    _ values: LazyTensor, name: String = "w", _ granularity: ScaleGranularity = .row, format: ElementFormat = .bf16,
    search: QuantizationScheme.Search = .none, rounding: QuantizationScheme.Rounding = .single
  ) -> WeightQuantizer {
    WeightQuantizer(
      Weight(values), name: name, granularity, rule: ScaleRule(format: format, search: search),
      rounding: rounding == .compat ? .throughBF16 : .single)
  }

  @Test(arguments: [ElementFormat.bf16, .f32], [QuantizationScheme.Rounding.single, .compat])
  func quantizesRowsAtTheEdgesAsTheReferenceDoes(_ format: ElementFormat, _ rounding: QuantizationScheme.Rounding)
    throws
  {
    let rows = try TensorTable(fixture: "models/fp8-reference/rows.safetensors")
    let name = format == .bf16 ? "bf16" : "f32"
    let shape = try rows.info(name).shape
    let values = LazyTensor(try rows.floats(name), shape: shape)
    let quantized = quantizer(values, rounding: rounding).quantized
    #expect(quantized.format == .f8E4M3)
    #expect(quantized.shape == shape)
    #expect(quantized.scale?.values.shape == [shape[0], 1])
    #expect(quantized.scale?.values.format == .bf16)
    #expect(try quantized.scale?.values.bytes() == rows.bytes(name + ".scale"))
    let (codes, expected) = (try quantized.values.bytes(), try rows.bytes("\(name).\(rounding.rawValue)"))
    for row in 0..<shape[0] {
      let range = row * shape[1]..<(row + 1) * shape[1]
      #expect(codes[range] == expected[range], "row \(row)")
    }
  }

  @Test func decodesToCodesTimesScales() throws {
    let values: [Float] = [448, -1, 0.5, 0, 0, 0, 1e-3, -2e-3, 3e-3]
    let weight = quantizer(LazyTensor(values, shape: [3, 3])).quantized
    var decoded = [Float](repeating: .nan, count: 9)
    try decoded.withUnsafeMutableBufferPointer { try weight.decode(rows: 0..<3, into: $0) }
    let (codes, scales) = (try weight.values.bytes(), try #require(weight.scale).values.decoded())
    #expect(decoded == (0..<9).map { Float8E4M3.decode(codes[$0]) * scales[$0 / 3] })
    #expect(decoded[..<6] == [448, -1, 0.5, 0, 0, 0])
  }

  @Test(arguments: [Float.nan, -.nan, .infinity, -.infinity])
  func refusesValuesThatAreNotFiniteByTensorAndRow(_ value: Float) throws {
    var values = [Float](repeating: 1, count: 12)
    values[7] = value
    let weight = quantizer(LazyTensor(values, shape: [4, 3]), name: "model.layers.0.mlp.up_proj.weight").quantized
    for read in [{ try weight.values.bytes() }, { try weight.scale!.values.bytes() }] {
      let error = #expect(throws: CompressionError.self) { _ = try read() }
      #expect(error?.code == .nonFiniteWeight)
      #expect(error?.message.contains("'model.layers.0.mlp.up_proj.weight'") == true)
      #expect(error?.message.contains("row 2") == true)
    }
  }
}

extension WeightQuantizerTests {
  /// 2⁻²⁴ is the least F16, and its epsilon would make every code of such a row zero.
  @Test(
    arguments: [ScaleGranularity.tensor, .row, .block(rows: 1, columns: 8)],
    [
      QuantizationScheme.Search.none, .meanSquaredError,
    ])
  func smallValuesKeepAScaleOfTheirSize(_ granularity: ScaleGranularity, _ search: QuantizationScheme.Search) throws {
    let values = LazyTensor([1e-5, -5e-6, 0, 2e-6], shape: [1, 4])
    let weight = quantizer(values, granularity, format: .f16, search: search).quantized
    #expect(try #require(weight.scale).values.decoded() == [0x1p-24])
    #expect(try weight.values.bytes().contains { $0 & 0x7F != 0 })
    let reference = WeightQuantizer(
      Weight(values), name: "w", granularity, rule: ScaleRule(format: .f16, search: .none, rounding: .compat),
      rounding: .throughBF16)
    #expect(try #require(reference.quantized.scale).values.decoded() == [0x1p-10])
    let nothing = quantizer(LazyTensor([0, 0, 0, 0], shape: [1, 4]), granularity, format: .f16, search: search)
    #expect(try #require(nothing.quantized.scale).values.decoded() == [0x1p-10])
  }

  @Test(
    arguments: [ScaleGranularity.tensor, .row, .block(rows: 1, columns: 8)],
    [
      QuantizationScheme.Search.none, .meanSquaredError,
    ])
  func aScaleBeyondItsFormatIsRefusedByTensor(
    _ granularity: ScaleGranularity, _ search: QuantizationScheme.Search
  ) throws {
    let values = LazyTensor([1, -4e7], shape: [1, 2])
    let weight = quantizer(values, name: "model.x.weight", granularity, format: .f16, search: search).quantized
    for read in [{ try weight.values.bytes() }, { try weight.scale!.values.bytes() }] {
      let error = #expect(throws: CompressionError.self) { _ = try read() }
      #expect(error?.message.contains("'model.x.weight' has values up to 4e+07, whose scale is beyond F16") == true)
    }
    #expect(try quantizer(values, granularity, search: search).quantized.scale?.values.decoded()[0].isFinite == true)
  }

  private func noise(_ quantizer: WeightQuantizer) throws -> Double {
    try quantizer.measured().reduce(0) { $0 + Double($1.noise) }
  }

  @Test(arguments: [ScaleGranularity.tensor, .row, .block(rows: 8, columns: 16)], [ElementFormat.bf16, .f32])
  func aSearchFindsScalesWithLessError(_ granularity: ScaleGranularity, _ format: ElementFormat) throws {
    var state: UInt64 = 7
    let numbers = (0..<20 * 40).map { _ -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let x = Float(state >> 40) / Float(1 << 24) - 0.5
      return x * x * x * 0.3
    }
    let values = LazyTensor(numbers, shape: [20, 40])
    let plain = quantizer(values, granularity, format: format)
    let searched = quantizer(values, granularity, format: format, search: .meanSquaredError)
    #expect(try noise(searched) < noise(plain) * (granularity == .tensor ? 1 : 0.97))
    // Scales asked for first, or codes: the same.
    let other = quantizer(values, granularity, format: format, search: .meanSquaredError).quantized
    let scales = try #require(other.scale).values.bytes()
    #expect(try searched.quantized.scale?.values.bytes() == scales)
    #expect(try other.values.bytes() == searched.quantized.values.bytes())
    #expect(other.scale?.values.shape == granularity.gridShape(of: [20, 40]))
  }

  @Test func edgeBlocksHaveScalesOfTheirOwn() throws {
    let numbers = (0..<5 * 7).map { Float($0 + 1) }
    let weight = quantizer(LazyTensor(numbers, shape: [5, 7]), .block(rows: 2, columns: 3), format: .f32).quantized
    let scales = try #require(weight.scale).values.decoded()
    let expected: [Float] = [10, 13, 14, 24, 27, 28, 31, 34, 35].map { $0 / 448 }
    #expect(scales == expected)
  }
}
