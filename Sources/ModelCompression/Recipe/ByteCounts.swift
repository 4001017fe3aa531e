internal import Synchronization

/// Progress of several workers as one number.
final class ByteCounts: Sendable {
  private let counts: Mutex<[Int]>

  init(_ workers: Int) { counts = Mutex([Int](repeating: 0, count: workers)) }

  /// Notes how far a worker is, and returns how far all are.
  func set(_ count: Int, at worker: Int) -> Int {
    counts.withLock { counts in
      counts[worker] = count
      return counts.reduce(0, +)
    }
  }
}
