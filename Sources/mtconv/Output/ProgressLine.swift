internal import ModelCheckpoints
internal import Synchronization

/// Shows work that takes longer than a second: share, rate and time left.
///
/// On a terminal one line is rewritten; in a log a line appears every ten seconds.
final class ProgressLine: Sendable {
  private struct State {
    var phase = ""
    var start = ContinuousClock.now
    var lastShown = ContinuousClock.now
    var hasLine = false
  }

  private let state = Mutex(State())
  private let isEnabled: Bool

  init(isEnabled: Bool = true) { self.isEnabled = isEnabled }

  var handler: WorkProgress.Handler { { [self] in update($0) } }

  private func update(_ progress: WorkProgress) {
    guard isEnabled else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      if state.phase != progress.phase {
        clear(&state)
        state = State(phase: progress.phase, start: now, lastShown: now, hasLine: false)
      }
      let interval: Duration = Console.isInteractive ? .milliseconds(200) : .seconds(10)
      guard now - state.start > .seconds(1), now - state.lastShown > interval, progress.completed < progress.total
      else { return }
      state.lastShown = now
      write(Self.text(progress, elapsed: (now - state.start) / .seconds(1)), &state)
    }
  }

  /// Shows a line as it is, in place of the one before; in a log at most every ten seconds.
  func show(_ text: String) {
    guard isEnabled else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      guard Console.isInteractive || now - state.lastShown > .seconds(10) else { return }
      state.lastShown = now
      write(text, &state)
    }
  }

  /// Removes the line, before a result is printed.
  func finish() { state.withLock { clear(&$0) } }

  private func write(_ text: String, _ state: inout State) {
    if Console.isInteractive {
      Console.errorFragment("\r\u{1B}[K" + text)
      state.hasLine = true
    } else {
      Console.error(text)
    }
  }

  /// `writing 42 %, 310.0 MB/s, 12 s left`
  static func text(_ progress: WorkProgress, elapsed: Double) -> String {
    let share = Double(progress.completed) / Double(max(progress.total, 1))
    let rate = elapsed > 0 ? Double(progress.completed) / elapsed : 0
    var text = "\(progress.phase) \(NumberText.percent(share, 0))"
    switch progress.unit {
    case .bytes: text += ", \(NumberText.bytes(Int(rate)))/s"
    case .tokens: text += ", \(NumberText.fixed(rate, 0)) tokens/s"
    case .blocks: text += ", block \(progress.completed) of \(progress.total)"
    case .figures: text += ", \(progress.completed) of \(progress.total) figures"
    }
    if share > 0 { text += ", \(NumberText.duration(elapsed / share - elapsed)) left" }
    return text
  }

  private func clear(_ state: inout State) {
    if state.hasLine { Console.errorFragment("\r\u{1B}[K") }
    state.hasLine = false
  }
}
