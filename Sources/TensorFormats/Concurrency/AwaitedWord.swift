#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import CTensorKernels
internal import Synchronization

/// A number that threads wait on: awake for a moment, because most waits are short, and then asleep.
///
/// Lives as long as the process.
final class AwaitedWord: @unchecked Sendable {
  /// How long a thread stays awake: twice what waking one takes.
  private static let patience: Duration = .microseconds(100)
  /// Looks between two at the clock.
  private static let looks = 32

  private let word: Atomic<Int>
  private let sleepers = Atomic<Int>(0)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init(_ value: Int) {
    word = Atomic(value)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  /// Whoever waits sees the value, and what this thread wrote before it.
  func store(_ value: Int) {
    word.store(value, ordering: .sequentiallyConsistent)
    wake()
  }

  /// Subtracts, and returns what is left.
  @discardableResult
  func subtract(_ amount: Int) -> Int {
    let left = word.subtract(amount, ordering: .sequentiallyConsistent).newValue
    wake()
    return left
  }

  /// Adds one if what is there `isAllowed`; nobody is woken for that.
  func addOne(if isAllowed: (Int) -> Bool) -> Bool {
    var value = word.load(ordering: .acquiring)
    while isAllowed(value) {
      let (isDone, found) = word.compareExchange(
        expected: value, desired: value + 1, ordering: .sequentiallyConsistent)
      if isDone { return true }
      value = found
    }
    return false
  }

  /// Returns the first value seen that `isAwaited`.
  func wait(until isAwaited: (Int) -> Bool) -> Int {
    let start = ContinuousClock.now
    repeat {
      for _ in 0..<Self.looks {
        let value = word.load(ordering: .acquiring)
        if isAwaited(value) { return value }
        mtconv_pause()
      }
    } while ContinuousClock.now - start < Self.patience
    return sleep(until: isAwaited)
  }

  /// A sleeper counts itself before it looks, and who changes the word looks for sleepers afterwards: in their one order, one of the
  /// two sees the other.
  private func sleep(until isAwaited: (Int) -> Bool) -> Int {
    pthread_mutex_lock(mutex)
    sleepers.add(1, ordering: .sequentiallyConsistent)
    defer {
      sleepers.subtract(1, ordering: .sequentiallyConsistent)
      pthread_mutex_unlock(mutex)
    }
    while true {
      let value = word.load(ordering: .sequentiallyConsistent)
      if isAwaited(value) { return value }
      pthread_cond_wait(changed, mutex)
    }
  }

  private func wake() {
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
  }
}
