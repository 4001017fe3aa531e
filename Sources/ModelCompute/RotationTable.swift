#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import ModelArchitectures
internal import Synchronization

/// Cosines and sines of a rotary embedding's angles for positions from zero.
struct RotationTable: Sendable {
  /// Channel pairs of a head.
  let half: Int
  let positions: Int
  /// `positions × half` each.
  private let cosines: Matrix
  private let sines: Matrix

  /// Angles are formed as the reference does: frequency and product rounded to F32.
  init(_ rotary: Rotary, positions: Int) {
    half = rotary.dimension / 2
    self.positions = positions
    cosines = Matrix(rows: positions, columns: half)
    sines = Matrix(rows: positions, columns: half)
    let frequencies = rotary.frequencies.map { Float($0) }
    for position in 0..<positions {
      let (cosineRow, sineRow) = (cosines[position], sines[position])
      for pair in 0..<half {
        let angle = Double(frequencies[pair] * Float(position))
        cosineRow[pair] = Float(cos(angle))
        sineRow[pair] = Float(sin(angle))
      }
    }
  }

  func row(_ position: Int) -> (cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>) {
    (UnsafePointer(cosines.start + position * half), UnsafePointer(sines.start + position * half))
  }
}

/// The tables of a network's rotary embeddings, made when first needed and longer when a longer sequence comes.
final class RotationCache: Sendable {
  private let tables = Mutex<[Rotary: RotationTable]>([:])

  func table(_ rotary: Rotary, positions: Int) -> RotationTable {
    tables.withLock { tables in
      if let table = tables[rotary], table.positions >= positions { return table }
      let table = RotationTable(rotary, positions: max(64, positions))
      tables[rotary] = table
      return table
    }
  }
}
