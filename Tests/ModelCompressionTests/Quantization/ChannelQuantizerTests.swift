import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

/// Rows at the edges of the formats, with torch's codes and compressed-tensors' scales (Fixtures/generate/fp8_reference.py).
@Suite struct ChannelQuantizerTests {
  @Test(arguments: [ElementFormat.bf16, .f32], [QuantizationScheme.Rounding.single, .compat])
  func quantizesRowsAtTheEdgesAsTheReferenceDoes(_ format: ElementFormat, _ rounding: QuantizationScheme.Rounding)
    throws
  {
    let rows = try TensorTable(fixture: "models/fp8-reference/rows.safetensors")
    let name = format == .bf16 ? "bf16" : "f32"
    let shape = try rows.info(name).shape
    let values = LazyTensor(try rows.floats(name), shape: shape)
    let quantized = ChannelQuantizer(Weight(values), name: "w", rounding: rounding).quantized
    #expect(quantized.format == .f8E4M3)
    #expect(quantized.shape == shape)
    #expect(quantized.scale?.shape == [shape[0], 1])
    #expect(quantized.scale?.format == .bf16)
    #expect(try quantized.scale?.bytes() == rows.bytes(name + ".scale"))
    let (codes, expected) = (try quantized.values.bytes(), try rows.bytes("\(name).\(rounding.rawValue)"))
    for row in 0..<shape[0] {
      let range = row * shape[1]..<(row + 1) * shape[1]
      #expect(codes[range] == expected[range], "row \(row)")
    }
  }

  @Test func decodesToCodesTimesScales() throws {
    let values: [Float] = [448, -1, 0.5, 0, 0, 0, 1e-3, -2e-3, 3e-3]
    let weight = ChannelQuantizer(Weight(LazyTensor(values, shape: [3, 3])), name: "w", rounding: .single).quantized
    var decoded = [Float](repeating: .nan, count: 9)
    try decoded.withUnsafeMutableBufferPointer { try weight.decode(rows: 0..<3, into: $0) }
    let (codes, scales) = (try weight.values.bytes(), try #require(weight.scale).decoded())
    #expect(decoded == (0..<9).map { Float8E4M3.decode(codes[$0]) * scales[$0 / 3] })
    #expect(decoded[..<6] == [448, -1, 0.5, 0, 0, 0])
  }

  @Test(arguments: [Float.nan, -.nan, .infinity, -.infinity])
  func refusesValuesThatAreNotFiniteByTensorAndRow(_ value: Float) throws {
    var values = [Float](repeating: 1, count: 12)
    values[7] = value
    let weight = ChannelQuantizer(
      Weight(LazyTensor(values, shape: [4, 3])), name: "model.layers.0.mlp.up_proj.weight", rounding: .single
    ).quantized
    for read in [{ try weight.values.bytes() }, { try weight.scale!.bytes() }] {
      let error = #expect(throws: CompressionError.self) { _ = try read() }
      #expect(error?.code == .nonFiniteWeight)
      #expect(error?.message.contains("'model.layers.0.mlp.up_proj.weight'") == true)
      #expect(error?.message.contains("row 2") == true)
    }
  }
}
