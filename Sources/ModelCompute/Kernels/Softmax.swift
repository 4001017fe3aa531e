internal import CTensorKernels
#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import TensorFormats

// x: count x F32, changed    facts: the maximum and the sum, 2 x F32
@_cdecl("mtconv_compute_exponentiate") @inline(__always)
func exponentiateBody(_ count: Int, _ x: UnsafeMutableRawPointer, _ facts: UnsafeMutableRawPointer) {
  let x = floats(x)
  let maximum = largest(x, count)
  let offset = Lanes(repeating: maximum)
  var sums = Lanes(repeating: 0)
  // Lanes that hold no score add nothing.
  forWholeVectors(x, into: x, count, filling: -.infinity) { x, y, count in
    var index = 0
    while index < count {
      let power = (Lanes.load(x, index) - offset).exponential
      power.store(y, index)
      sums = sums + power
      index &+= 16
    }
  }
  floats(facts)[0] = maximum
  floats(facts)[1] = sums.total
}

/// Turns `count` scores, at least one, into eˣ⁻ᵐ with m the largest of them.
///
/// - Returns: m, and the sum of what is written.
@inline(never)
func exponentiate(
  _ x: UnsafeMutablePointer<Float>, count: Int, at level: InstructionLevel = .current
) -> (maximum: Float, sum: Float) {
  var facts: (maximum: Float, sum: Float) = (0, 0)
  withUnsafeMutableBytes(of: &facts) { bytes in
    let facts = bytes.baseAddress!
    #if arch(x86_64)
      switch level {
      case .v4: mtconv_compute_exponentiate_v4(count, x, facts)
      case .v3: mtconv_compute_exponentiate_v3(count, x, facts)
      case .baseline: exponentiateBody(count, x, facts)
      }
    #else
      exponentiateBody(count, x, facts)
    #endif
  }
  return facts
}

// x: count x F32, changed    facts: the maximum and the sum before the division, 2 x F32
@_cdecl("mtconv_compute_softmax") @inline(__always)
func softmaxBody(_ count: Int, _ x: UnsafeMutableRawPointer, _ facts: UnsafeMutableRawPointer) {
  exponentiateBody(count, x, facts)
  let factor = Lanes(repeating: 1 / floats(facts)[1])
  map(floats(x), into: floats(x), count) { $0 * factor }
}

/// Turns `count` scores, at least one, into probabilities.
@inline(never)
func softmax(_ x: UnsafeMutablePointer<Float>, count: Int, at level: InstructionLevel = .current) {
  var facts: (Float, Float) = (0, 0)
  withUnsafeMutableBytes(of: &facts) { bytes in
    let facts = bytes.baseAddress!
    #if arch(x86_64)
      switch level {
      case .v4: mtconv_compute_softmax_v4(count, x, facts)
      case .v3: mtconv_compute_softmax_v3(count, x, facts)
      case .baseline: softmaxBody(count, x, facts)
      }
    #else
      softmaxBody(count, x, facts)
    #endif
  }
}

extension Matrix {
  /// Turns every row of logits into probabilities, in place.
  public func applySoftmax() {
    guard columns > 0 else { return }
    forEachRowRange(rows: rows, columns: columns, cost: 1) { rows in
      for row in rows { softmax(self.start + row * self.columns, count: self.columns) }
    }
  }

  /// Turns every row of logits into log-probabilities, in place.
  public func applyLogSoftmax() {
    guard columns > 0 else { return }
    let scratchColumns = columns
    forEachRowRange(rows: rows, columns: columns, cost: 1.5) { rows in
      let scratch = Matrix(rows: 1, columns: scratchColumns)
      for row in rows {
        let start = self.start + row * scratchColumns
        scratch.start.update(from: start, count: scratchColumns)
        let (maximum, sum) = exponentiate(scratch.start, count: scratchColumns)
        shiftAndScale(start, by: -maximum - log(sum), factor: 1, into: start, scratchColumns)
      }
    }
  }
}
