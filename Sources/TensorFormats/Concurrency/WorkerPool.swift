internal import Dispatch
internal import Synchronization

/// The threads behind `parallelChunks`, one for every core but the caller's.
///
/// A pass runs hundreds of parallel pieces a second, and waking a thread for each takes longer than some of them. So after a piece the
/// threads look out for the next for a moment before they sleep: a training step gains a tenth over `concurrentPerform`.
final class WorkerPool: @unchecked Sendable {
  static let shared = WorkerPool(helperCount: processorCount - 1)

  private let helperCount: Int
  private let isTaken = Atomic<Bool>(false)
  /// The number of the job, and in the lowest bits how many helpers take part. The first ones do; the others pass it by.
  private let job = AwaitedWord(0)
  private static let countBits = 16
  /// Helpers that are not done with the job.
  private let unfinished = AwaitedWord(0)
  /// Of the present job. A helper that takes part reads it before the job ends, the others never.
  private var work: (@Sendable () -> Void)?
  private var jobNumber = 0

  init(helperCount: Int) {
    self.helperCount = min(max(helperCount, 0), 1 << Self.countBits - 1)
    for index in 0..<self.helperCount {
      DispatchQueue(label: "mtconv.worker-\(index)").async { [self] in help(as: index) }
    }
  }

  /// Runs `work` on the calling thread and on up to `helpers` others, and returns when all are done.
  ///
  /// - Returns: false, and nothing was run, if the pool is at work already: for another caller, or for a piece of work that itself
  ///   wants to share.
  func run(helpers: Int, _ work: @Sendable () -> Void) -> Bool {
    let helpers = min(helpers, helperCount)
    guard helpers > 0, !isTaken.exchange(true, ordering: .acquiring) else { return false }
    withoutActuallyEscaping(work) { work in
      self.work = work
      unfinished.store(helpers)
      jobNumber += 1
      job.store(jobNumber << Self.countBits | helpers)
      work()
      _ = unfinished.wait { $0 == 0 }
      self.work = nil
    }
    isTaken.store(false, ordering: .releasing)
    return true
  }

  private func help(as index: Int) {
    var seen = 0
    while true {
      seen = job.wait { $0 != seen }
      guard index < seen & (1 << Self.countBits - 1) else { continue }
      perform()
      unfinished.subtractOne()
    }
  }

  /// A function of its own, so that the work is let go before the job is said to be done.
  @inline(never)
  private func perform() { work?() }
}
