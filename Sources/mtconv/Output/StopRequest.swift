internal import Synchronization

/// Lets a long run end in order when the user or the system asks for it: the first signal is a request, the second is obeyed at once.
enum StopRequest {
  private enum State { case notHeard, awaited, made }

  private static let state = Mutex(State.notHeard)

  /// From now on, signals ask.
  static func await() { state.withLock { $0 = .awaited } }

  /// From now on, signals end the program.
  static func ignore() { state.withLock { $0 = .notHeard } }

  static var isMade: Bool { state.withLock { $0 == .made } }

  /// Takes a signal as a request; false if nobody listens, or if it was asked for before.
  static func make() -> Bool {
    state.withLock { state in
      guard state == .awaited else { return false }
      state = .made
      return true
    }
  }
}
