internal import TensorFormats

/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), as torch.optim.AdamW computes it. F32 moments.
public final class AdamW {
  public struct Settings: Sendable, Hashable, Codable {
    public var beta1 = 0.9
    public var beta2 = 0.95
    public var epsilon = 1e-8
    /// Shrinks matrices; vectors are left alone.
    public var weightDecay = 0.1

    public init() {}
  }

  /// Running means of a parameter's gradient and of its square.
  public struct Moments: Sendable {
    public let mean: Matrix
    public let square: Matrix

    public init(mean: Matrix, square: Matrix) {
      precondition(mean.count == square.count)
      self.mean = mean
      self.square = square
    }
  }

  public let settings: Settings
  /// Updates made so far.
  public private(set) var step: Int
  public private(set) var moments: [ParameterKey: Moments]

  /// - Parameters:
  ///   - step: updates already made, when a run goes on.
  ///   - moments: those of the updates already made.
  public init(_ settings: Settings = Settings(), step: Int = 0, moments: [ParameterKey: Moments] = [:]) {
    self.settings = settings
    self.step = step
    self.moments = moments
  }

  /// Makes one update.
  ///
  /// - Parameters:
  ///   - scale: multiplies every gradient, for clipping.
  public func update(
    _ parameters: [(key: ParameterKey, values: Matrix)], by gradients: Gradients, learningRate: Double,
    scale: Double = 1
  ) {
    step += 1
    for (key, values) in parameters {
      guard let gradient = gradients[key] else { continue }
      let moments = moments(of: key, like: values)
      let decay = values.rows > 1 ? settings.weightDecay : 0
      let update = Update(settings, step, learningRate: learningRate, decay: decay, scale: scale)
      let size = 1 << 16
      parallelChunks(of: values.count, size: size) { range in
        update(
          values.start + range.lowerBound, gradient.start + range.lowerBound, moments.mean.start + range.lowerBound,
          moments.square.start + range.lowerBound, count: range.count)
      }
    }
  }

  private func moments(of key: ParameterKey, like values: Matrix) -> Moments {
    if let found = moments[key] { return found }
    let new = Moments(
      mean: .zeros(rows: values.rows, columns: values.columns),
      square: .zeros(rows: values.rows, columns: values.columns))
    moments[key] = new
    return new
  }
}

/// The arithmetic of one update, its constants worked out.
private struct Update: Sendable {
  let kept: Float
  let beta1: Float
  let beta2: Float
  let rate: Float
  let rootCorrection: Float
  let epsilon: Float
  let scale: Float

  init(_ settings: AdamW.Settings, _ step: Int, learningRate: Double, decay: Double, scale: Double) {
    kept = Float(1 - learningRate * decay)
    beta1 = Float(settings.beta1)
    beta2 = Float(settings.beta2)
    rate = Float(learningRate / (1 - power(settings.beta1, step)))
    rootCorrection = Float(1 / (1 - power(settings.beta2, step)).squareRoot())
    epsilon = Float(settings.epsilon)
    self.scale = Float(scale)
  }

  /// p, m, v: changed   g: the gradient
  func callAsFunction(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>,
    _ v: UnsafeMutablePointer<Float>, count: Int
  ) {
    var index = 0
    while index &+ 16 <= count {
      let gradient = Lanes.load(g, index) * Lanes(repeating: scale)
      let old = Lanes.load(m, index)
      let mean = old + (gradient - old) * Lanes(repeating: 1 - beta1)
      let square = Lanes.load(v, index) * Lanes(repeating: beta2) + gradient * gradient * Lanes(repeating: 1 - beta2)
      let root = square.squareRoot() * Lanes(repeating: rootCorrection) + Lanes(repeating: epsilon)
      let value = Lanes.load(p, index) * Lanes(repeating: kept) - Lanes(repeating: rate) * mean / root
      mean.store(m, index)
      square.store(v, index)
      value.store(p, index)
      index &+= 16
    }
    while index < count {
      let gradient = g[index] * scale
      m[index] += (gradient - m[index]) * (1 - beta1)
      v[index] = v[index] * beta2 + gradient * gradient * (1 - beta2)
      p[index] = p[index] * kept - rate * m[index] / (v[index].squareRoot() * rootCorrection + epsilon)
      index &+= 1
    }
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double {
  (0..<exponent).reduce(1.0) { product, _ in product * base }
}
