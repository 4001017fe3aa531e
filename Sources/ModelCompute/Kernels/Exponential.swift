extension Lanes {
  /// eˣ within 2 ulp wherever the result is a normal number; 0 below, infinity above.
  ///
  /// x = n · ln 2 + r with |r| ≤ ln 2 / 2; a polynomial gives eʳ, and n goes into the exponent. ln 2 is split in two so that
  /// n · ln 2 loses nothing (S. L. Moshier, Cephes, `expf`).
  var exponential: Lanes {
    @inline(__always) get {
      // Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
      let shift = Lanes(repeating: 12_582_912)
      let shifted = self * Lanes(repeating: 1.442_695_04) + shift
      let count = shifted - shift
      let high = self - count * Lanes(repeating: 0.693_359_375)
      let r = high + count * Lanes(repeating: 2.121_944_4e-4)
      var p = Lanes(repeating: 1.987_569_15e-4)
      p = p * r + Lanes(repeating: 1.398_199_950_7e-3)
      p = p * r + Lanes(repeating: 8.333_451_907_3e-3)
      p = p * r + Lanes(repeating: 4.166_579_589_4e-2)
      p = p * r + Lanes(repeating: 1.666_666_545_9e-1)
      p = p * r + Lanes(repeating: 5.000_000_120_1e-1)
      let square = r * r
      let tail = p * square + r
      let power = tail + Lanes(repeating: 1)
      let exponent = unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< SIMD16<UInt32>(repeating: 23)
      let bits = unsafeBitCast(power, to: SIMD16<UInt32>.self) &+ exponent
      let result = unsafeBitCast(bits, to: Lanes.self)
      let floored = result.replacing(with: Lanes(repeating: 0), where: self .< Lanes(repeating: -87.336_54))
      return floored.replacing(with: Lanes(repeating: .infinity), where: self .> Lanes(repeating: 88.722_83))
    }
  }

  /// 1 / (1 + e⁻ˣ)
  var sigmoid: Lanes {
    @inline(__always) get {
      let one = Lanes(repeating: 1)
      return one / (one + (Lanes(repeating: 0) - self).exponential)
    }
  }

  /// The hyperbolic tangent within 3 ulp: a polynomial near zero, 1 − 2 / (e²ˣ + 1) elsewhere (Cephes, `tanhf`).
  var hyperbolicTangent: Lanes {
    @inline(__always) get {
      let one = Lanes(repeating: 1)
      let zero = Lanes(repeating: 0)
      let negated = zero - self
      let magnitude = self.replacing(with: negated, where: self .< zero)
      let square = self * self
      var p = Lanes(repeating: -5.704_988_727_45e-3)
      p = p * square + Lanes(repeating: 2.063_908_879_54e-2)
      p = p * square + Lanes(repeating: -5.373_971_555_31e-2)
      p = p * square + Lanes(repeating: 1.333_144_220_36e-1)
      p = p * square + Lanes(repeating: -3.333_328_194_22e-1)
      let near = p * square * self + self
      let power = (magnitude + magnitude).exponential
      let far = one - Lanes(repeating: 2) / (power + one)
      let signed = far.replacing(with: zero - far, where: self .< zero)
      return signed.replacing(with: near, where: magnitude .< Lanes(repeating: 0.625))
    }
  }
}
