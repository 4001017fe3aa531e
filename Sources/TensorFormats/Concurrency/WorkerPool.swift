internal import Dispatch
internal import Synchronization

/// The threads behind `parallelChunks`, one for every core but the caller's.
///
/// A pass runs hundreds of parallel pieces a second, and waking a thread for each takes longer than some of them. So after a piece the
/// threads look out for the next for a moment before they sleep: a training step gains a tenth over `concurrentPerform`.
final class WorkerPool: @unchecked Sendable {
  static let shared = WorkerPool(helperCount: processorCount - 1)
  /// Whether the current thread works on a chunk.
  @TaskLocal static var isAtWork = false

  private let helperCount: Int
  private let isTaken = Atomic<Bool>(false)
  /// The number of the job, and in the lowest bits how many helpers are asked for: the first ones.
  private let job = AwaitedWord(0)
  private static let countBits = 16
  private var jobNumber = 0
  /// The helpers at work, and whether more may join: the caller waits for those who did, not for those who come too late, which on a
  /// busy machine may be milliseconds.
  private let gate = AwaitedWord(0)
  private static let isOpen = 1 << 32
  /// Of the present job. Read between joining and leaving only.
  private var work: (@Sendable () -> Void)?

  init(helperCount: Int) {
    self.helperCount = min(max(helperCount, 0), 1 << Self.countBits - 1)
    for index in 0..<self.helperCount {
      DispatchQueue(label: "mtconv.worker-\(index)").async { [self] in help(as: index) }
    }
  }

  /// Runs `work` on the calling thread and on others, as many as `helpers` and as are free before the caller is done with it; returns
  /// when all are.
  ///
  /// - Returns: false, and nothing was run, if the pool is at work for another caller.
  func run(helpers: Int, _ work: @Sendable () -> Void) -> Bool {
    let helpers = min(helpers, helperCount)
    guard helpers > 0, !isTaken.exchange(true, ordering: .acquiring) else { return false }
    withoutActuallyEscaping(work) { work in
      self.work = work
      gate.store(Self.isOpen)
      jobNumber += 1
      job.store(jobNumber << Self.countBits | helpers)
      work()
      if gate.subtract(Self.isOpen) > 0 { _ = gate.wait { $0 == 0 } }
      self.work = nil
    }
    isTaken.store(false, ordering: .releasing)
    return true
  }

  private func help(as index: Int) {
    var seen = 0
    while true {
      seen = job.wait { $0 != seen }
      guard index < seen & (1 << Self.countBits - 1), gate.addOne(if: { $0 >= Self.isOpen }) else { continue }
      perform()
      gate.subtract(1)
    }
  }

  /// A function of its own, so that the work is let go before the helper leaves.
  @inline(never)
  private func perform() { work?() }
}
