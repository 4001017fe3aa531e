internal import ModelArchitectures
public import ModelCheckpoints
internal import ModelCompute
internal import TensorFormats

/// How fast this machine does what everything here is made of, on all its cores.
public struct Benchmark: Sendable {
  public enum Unit: String, Sendable, Encodable {
    /// Multiplications and additions of F32 numbers.
    case operations
    /// Numbers that are converted.
    case values
    case bytes, tokens
  }

  public struct Figure: Sendable, Equatable, Encodable {
    public let name: String
    /// Units a second: the median of the runs.
    public let rate: Double
    public let unit: Unit
  }

  /// Seconds that a figure of the machine is measured for; three runs at least.
  public var seconds: Double

  /// Values of a conversion: more than the caches of a core hold.
  var valueCount = 1 << 24

  public init(seconds: Double = 0.5) { self.seconds = seconds }

  /// Matrix products, conversions and hashes.
  public func machine(progress: @escaping WorkProgress.Handler = { _ in }) -> [Figure] {
    let measurements = products + conversions + [hashes]
    return measurements.enumerated().map { index, measure in
      progress(WorkProgress(phase: "measuring", completed: index, total: measurements.count, unit: .figures))
      return measure()
    }
  }

  /// Forward passes of a model over random tokens: as `perplexity` runs it, and as `calibrate` does.
  ///
  /// - Throws: what the forward pass throws.
  public func model(
    _ model: Checkpoint, sequences: Int, context: Int, progress: @escaping WorkProgress.Handler = { _ in }
  ) throws -> [Figure] {
    var generator = SystemRandomNumberGenerator()
    let tokens = 0..<model.hyperparameters.vocabularySize
    let set = CalibrationSet(
      sequences: (0..<sequences).map { _ in
        (0..<context).map { _ in Int.random(in: tokens, using: &generator) }
      })
    let forward = try measure("forward pass", .tokens, set.tokenCount, isLong: true) {
      _ = try Perplexity(of: model, on: set, progress: progress)
    }
    let calibration = try measure("calibration", .tokens, set.tokenCount, isLong: true) {
      _ = try Calibration(of: model, on: set).run(progress: progress)
    }
    return [forward, calibration]
  }

  // MARK: Figures

  /// One that stays in the caches, and those of a small and of a large model on 512 tokens.
  private var products: [() -> Figure] {
    [(1024, 1024, 1024), (512, 576, 1536), (512, 4096, 4096)].map { rows, inner, columns in
      return {
        let (left, right) = (Matrix.zeros(rows: rows, columns: inner), Matrix.zeros(rows: columns, columns: inner))
        return measure("product \(rows) × \(inner) × \(columns)", .operations, 2 * rows * inner * columns) {
          _ = product(left, transposed: right)
        }
      }
    }
  }

  private static let rowLength = 4096

  private var conversions: [() -> Figure] {
    let decoded: [ElementFormat] = [.bf16, .f16, .f8E4M3, .q8_0, .q4_0]
    let encoded: [ElementFormat] = [.bf16, .f8E4M3, .q8_0]
    return decoded.map { format in { decoding(format) } } + encoded.map { format in { encoding(format) } }
  }

  private func decoding(_ format: ElementFormat) -> Figure {
    convert("\(format.name) to F32", format) { codec, bytes in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.rowLength) { row in
        codec.decode(UnsafeRawBufferPointer(bytes), into: row)
      }
    }
  }

  private func encoding(_ format: ElementFormat) -> Figure {
    let values = [Float](repeating: 0.375, count: Self.rowLength)
    return convert("F32 to \(format.name)", format) { codec, bytes in
      values.withUnsafeBufferPointer { codec.encode($0, into: bytes) }
    }
  }

  /// Calls `body` with the bytes of every row.
  private func convert(
    _ name: String, _ format: ElementFormat,
    _ body: @Sendable (any RowCodec, UnsafeMutableRawBufferPointer) -> Void
  ) -> Figure {
    guard let codec = format.codec, let rowBytes = format.byteCount(of: Self.rowLength) else {
      preconditionFailure("\(format.name) has no codec")
    }
    let rows = valueCount / Self.rowLength
    nonisolated(unsafe) let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: rows * rowBytes, alignment: 64)
    defer { stored.deallocate() }
    stored.initializeMemory(as: UInt8.self, repeating: 0x35)
    return measure(name, .values, valueCount) {
      parallelChunks(of: rows, size: 256) { range in
        for row in range {
          body(codec, UnsafeMutableRawBufferPointer(rebasing: stored[row * rowBytes..<(row + 1) * rowBytes]))
        }
      }
    }
  }

  /// Two pieces side by side on every core, as models are hashed.
  private func hashes() -> Figure {
    let size = 8 << 20
    let piece = [UInt8](repeating: 0x35, count: size)
    return measure("SHA-256", .bytes, 2 * size * processorCount) {
      parallelChunks(of: processorCount, size: 1) { _ in
        var (first, second) = (ContentHasher(), ContentHasher())
        piece.withUnsafeBytes { ContentHasher.update(&first, $0, &second, $0) }
      }
    }
  }

  /// - Parameters:
  ///   - amount: units of one run.
  ///   - isLong: one run without a warm-up is enough.
  private func measure<Failure: Error>(
    _ name: String, _ unit: Unit, _ amount: Int, isLong: Bool = false, _ body: () throws(Failure) -> Void
  ) throws(Failure) -> Figure {
    if !isLong { try body() }
    let start = ContinuousClock.now
    var durations: [Double] = []
    repeat {
      let before = ContinuousClock.now
      try body()
      durations.append((ContinuousClock.now - before) / .seconds(1))
    } while !isLong && (durations.count < 3 || (ContinuousClock.now - start) / .seconds(1) < seconds)
    durations.sort()
    return Figure(name: name, rate: Double(amount) / durations[durations.count / 2], unit: unit)
  }
}
