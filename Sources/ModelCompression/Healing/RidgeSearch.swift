internal import ModelArchitectures

/// Finds the strength of a ridge with the lowest held-out error, without trying all.
///
/// The error has one minimum over the strength: a ridge that is too weak fits what is peculiar to the fitted tokens, and with ever more
/// strength the weights, and so the error, come back to what they were. The search walks in the direction in which the error falls and
/// ends where it rises. It begins where the last one for such a weight ended: neighbouring layers are alike.
struct RidgeSearch {
  /// In ascending order.
  let strengths: [Double]
  private var starts: [WeightRole: Int] = [:]

  init(_ strengths: [Double]) { self.strengths = strengths.sorted() }

  /// - Parameters:
  ///   - role: of the weight, for the next search.
  ///   - before: the error of the weights as they are, which an infinitely strong ridge leaves.
  ///   - error: the held-out error with a strength; nil if there is no solution.
  /// - Returns: nil if no strength has an error below `before`.
  mutating func best(
    for role: WeightRole, before: Double, error: (_ strength: Double) throws -> Double?
  ) rethrows -> (strength: Double, error: Double)? {
    func value(_ place: Int) throws -> Double {
      if place == strengths.count { return before }
      return strengths.indices.contains(place) ? try error(strengths[place]) ?? .infinity : .infinity
    }
    let start = starts[role] ?? strengths.count / 2
    var (place, lowest) = (start, try value(start))
    for direction in [1, -1] where place == start {
      while case let next = try value(place + direction), next < lowest {
        (place, lowest) = (place + direction, next)
      }
    }
    starts[role] = max(0, min(place, strengths.count - 1))
    return place < strengths.count && lowest < before ? (strengths[place], lowest) : nil
  }
}
