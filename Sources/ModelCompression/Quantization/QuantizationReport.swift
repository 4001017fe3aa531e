#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
public import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

/// What quantization cost, tensor by tensor, as it was measured while codes were made.
public struct QuantizationReport: Sendable, Encodable {
  /// Quantized weights in the order of the model.
  public let tensors: [Tensor]
  /// Mean over tensors of the signal to noise, in decibels.
  public let meanSignalToNoise: Double?
  /// The lowest of all.
  public let worstSignalToNoise: Double?
  /// Mean over tensors of the signal to noise of their outputs; nil unless scales were searched for it.
  public let meanOutputSignalToNoise: Double?
  /// The rows with the lowest signal to noise, worst first.
  public let worstRows: [Row]
  public let clippedShare: Double
  public let zeroedShare: Double

  public struct Tensor: Sendable, Encodable {
    public let name: String
    public let shape: [Int]
    /// 10 log₁₀(Σw² ÷ Σ(w − scale · code)²), in decibels; nil if nothing was lost.
    public let signalToNoise: Double?
    /// The same of the matrix's outputs, as far as the powers of its input channels tell; nil unless scales were searched for it.
    public let outputSignalToNoise: Double?
    /// Share of elements beyond ±448 scales, which were cut off.
    public let clippedShare: Double
    /// Share of elements that were not zero and became zero.
    public let zeroedShare: Double
  }

  public struct Row: Sendable, Encodable {
    public let tensor: String
    public let row: Int
    public let signalToNoise: Double
  }

  private static let shownRows = 8

  /// The report of a model that `quantized(by:)` made. After it was written this costs nothing; before, it quantizes once.
  public init(of model: Checkpoint) throws {
    var tensors: [Tensor] = []
    var rows: [Row] = []
    var (clipped, zeroed, count) = (0, 0, 0)
    for (key, weight) in model.weights {
      guard let source = weight.values.source as? QuantizedCodes else { continue }
      let sums = try source.quantizer.measured()
      let name = model.huggingFaceName(of: key)
      let total = Total(sums, source.quantizer.measuredOutputs)
      tensors.append(total.tensor(name: name, shape: weight.shape))
      rows = Self.worst(rows + Self.worst(sums.enumerated().compactMap { Row(tensor: name, row: $0, $1) }))
      clipped += total.clipped
      zeroed += total.zeroed
      count += weight.values.elementCount
    }
    self.tensors = tensors
    let values = tensors.compactMap(\.signalToNoise)
    meanSignalToNoise = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    worstSignalToNoise = values.min()
    let outputs = tensors.compactMap(\.outputSignalToNoise)
    meanOutputSignalToNoise = outputs.isEmpty ? nil : outputs.reduce(0, +) / Double(outputs.count)
    worstRows = rows
    clippedShare = Double(clipped) / Double(max(count, 1))
    zeroedShare = Double(zeroed) / Double(max(count, 1))
  }

  private static func worst(_ rows: [Row]) -> [Row] {
    Array(rows.sorted { $0.signalToNoise < $1.signalToNoise }.prefix(shownRows))
  }
}

/// Sums of all rows of a tensor.
private struct Total {
  var signal = 0.0
  var noise = 0.0
  var clipped = 0
  var zeroed = 0
  var outputSignal = 0.0
  var outputNoise = 0.0

  init(_ rows: [QuantizationSums], _ outputs: [OutputSums]) {
    for output in outputs {
      outputSignal += output.signal
      outputNoise += output.noise
    }
    for row in rows {
      signal += Double(row.signal)
      noise += Double(row.noise)
      clipped += Int(row.clippedCount)
      zeroed += Int(row.zeroedCount)
    }
  }

  func tensor(name: String, shape: [Int]) -> QuantizationReport.Tensor {
    let count = Double(max(shape.reduce(1, *), 1))
    return QuantizationReport.Tensor(
      name: name, shape: shape, signalToNoise: decibels(signal, noise),
      outputSignalToNoise: decibels(outputSignal, outputNoise), clippedShare: Double(clipped) / count,
      zeroedShare: Double(zeroed) / count)
  }
}

extension QuantizationReport.Row {
  fileprivate init?(tensor: String, row: Int, _ sums: QuantizationSums) {
    guard let value = decibels(Double(sums.signal), Double(sums.noise)) else { return nil }
    self.init(tensor: tensor, row: row, signalToNoise: value)
  }
}

private func decibels(_ signal: Double, _ noise: Double) -> Double? {
  noise > 0 && signal > 0 ? 10 * log10(signal / noise) : nil
}
