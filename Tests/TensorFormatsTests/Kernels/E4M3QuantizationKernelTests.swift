import Testing

import TensorFormats

/// Quantization with its measurements, at every instruction level, against the definition.
@Suite struct E4M3QuantizationKernelTests {
  /// Every finite BF16 number and the scalars at the edges of the formats; not a multiple of sixteen.
  private static let values: [Float] =
    ((0...UInt16.max).map { Float(bitPattern: UInt32($0) << 16) } + CodecFixture.scalars).filter(\.isFinite).dropLast(3)
    + [448]

  private static let scales: [Float] = [1, 0x1p-7, 0.001, 1 / 3, 3.0e-38, 0x1p-149, 1e30, 0.0017777]

  @Test(arguments: InstructionLevel.available, [QuotientRounding.single, .throughBF16])
  func quantizesAsTheDefinitionSays(level: InstructionLevel, rounding: QuotientRounding) {
    for scale in Self.scales {
      var codes = [UInt8](repeating: 0, count: Self.values.count)
      let sums = quantizeF32ToE4M3(
        Self.values.count, Self.values, &codes, scale: scale, rounding: rounding, at: level)
      var expected = QuantizationSums()
      var differing = 0
      for (value, code) in zip(Self.values, codes) {
        let quotient = rounding == .single ? value / scale : BFloat16Bits.rounded(value / scale)
        if code != Float8E4M3.encode(quotient, overflow: .saturate) { differing += 1 }
        if quotient.magnitude > 448 { expected.clippedCount += 1 }
        if value != 0, code & 0x7F == 0 { expected.zeroedCount += 1 }
      }
      #expect(differing == 0, "scale \(scale)")
      #expect(sums.clippedCount == expected.clippedCount)
      #expect(sums.zeroedCount == expected.zeroedCount)
    }
  }

  private static let ordinary: [Float] = (0..<1003).map { index in
    let x = Float((index * 7919) % 2003) / 2003 - 0.5
    return x * x * x * 0.2
  }

  @Test(arguments: InstructionLevel.available, [QuotientRounding.single, .throughBF16])
  func measuresSignalAndNoise(level: InstructionLevel, rounding: QuotientRounding) {
    let row = Self.ordinary
    for scale: Float in [0.025 / 448, 0.02 / 448, 0.04 / 448] {
      var codes = [UInt8](repeating: 0, count: row.count)
      let sums = quantizeF32ToE4M3(row.count, row, &codes, scale: scale, rounding: rounding, at: level)
      let signal = row.reduce(0.0) { $0 + Double($1) * Double($1) }
      let noise = zip(row, codes).reduce(0.0) { sum, pair in
        let error = Double(pair.0) - Double(scale) * Double(Float8E4M3.decode(pair.1))
        return sum + error * error
      }
      #expect(abs(Double(sums.signal) / signal - 1) < 1e-5)
      #expect(abs(Double(sums.noise) / noise - 1) < 1e-4)
    }
  }

  @Test(arguments: InstructionLevel.available) func errorsOfScalesAreThoseOfQuantizing(level: InstructionLevel) {
    let row = Self.ordinary
    let scales: [Float] = (0..<37).map { 0.025 / 448 * (0.5 + Float($0) / 20) }
    var errors = [Float](repeating: 1e-9, count: scales.count)
    addE4M3Errors(row.count, row, scales, &errors, candidates: scales.count, at: level)
    var codes = [UInt8](repeating: 0, count: row.count)
    for (scale, error) in zip(scales, errors) {
      let sums = quantizeF32ToE4M3(row.count, row, &codes, scale: scale, rounding: .single, at: level)
      #expect(abs(error - 1e-9 - sums.noise) < 2e-3 * sums.noise, "scale \(scale)")
    }
  }

  @Test(arguments: InstructionLevel.available) func weightedErrorsAreThoseOfQuantizing(level: InstructionLevel) {
    let row = Self.ordinary
    let weights = row.indices.map { Float($0 % 5) / 4 }
    let scales: [Float] = (0..<37).map { 0.025 / 448 * (0.5 + Float($0) / 20) } + [1e30]
    var errors = [Float](repeating: 1e-9, count: scales.count)
    addE4M3WeightedErrors(row.count, row, weights, scales, &errors, candidates: scales.count, at: level)
    for (scale, error) in zip(scales, errors) {
      let expected = zip(row, weights).reduce(0.0) { sum, pair in
        let code = Float8E4M3.encode(pair.0 / scale, overflow: .saturate)
        let error = Double(pair.0) - Double(scale) * Double(Float8E4M3.decode(code))
        return sum + Double(pair.1) * error * error
      }
      #expect(abs(Double(error) - 1e-9 - expected) < 2e-3 * expected, "scale \(scale)")
    }
  }

  @Test(arguments: InstructionLevel.available) func roundsToTheScaleTimesTheCode(level: InstructionLevel) {
    let values = Self.values + [.nan, .infinity, -.infinity, -0.0]
    for scale in Self.scales {
      var rounded = [Float](repeating: 7, count: values.count)
      roundF32ToE4M3(values.count, values, &rounded, scale: scale, at: level)
      let differing = zip(values, rounded).filter { value, result in
        let expected = Float8E4M3.decode(Float8E4M3.encode(value / scale, overflow: .saturate)) * scale
        return expected.isNaN ? !result.isNaN : expected.bitPattern != result.bitPattern
      }
      #expect(differing.isEmpty, "scale \(scale)")
    }
  }

  @Test func everyExponentCodeHasItsValue() {
    for code in UInt8.min...UInt8.max {
      let value = Float8E8M0.decode(code)
      if code == 255 {
        #expect(value.isNaN)
      } else {
        #expect(value == Float(sign: .plus, exponent: Int(code) - 127, significand: 1))
      }
      #expect(Float8E8M0.encode(value) == code)
    }
  }

  /// What ml_dtypes 0.6 says.
  @Test(
    arguments: [
      (0, 255), (-1, 255), (.infinity, 255), (0x1p-128, 0), (0x1p-149, 0), (1.4 * 0x1p-127, 1), (1.5, 128), (3, 129),
      (6, 130),
      (0.75, 127), (0x1.8p127, 255), (0x1.6p127, 254),
    ] as [(Float, UInt8)])
  func otherNumbersRoundToTheNearestPower(_ value: Float, _ code: UInt8) {
    #expect(Float8E8M0.encode(value) == code)
  }
}
