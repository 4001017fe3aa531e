import Dispatch
import Foundation
import Synchronization
import Testing

@testable import TensorFormats

@Suite struct WorkerPoolTests {
  /// More helpers than this machine has cores, and jobs that do not want them all; now and then a pause in which they fall asleep.
  @Test func everyPieceIsDoneOnceBeforeRunReturns() {
    let pool = WorkerPool(helperCount: 5)
    for job in 0..<2000 {
      let taken = Atomic<Int>(0)
      let done = Atomic<Int>(0)
      let hasRun = pool.run(helpers: job % 7) {
        while taken.wrappingAdd(1, ordering: .relaxed).newValue <= 20 { done.wrappingAdd(1, ordering: .relaxed) }
      }
      #expect(hasRun == (job % 7 > 0) && done.load(ordering: .relaxed) == (hasRun ? 20 : 0))
      if job.isMultiple(of: 200) { usleep(2000) }
    }
  }

  /// The caller does not come back from its piece before every helper has one, awake or asleep.
  @Test(arguments: [0, 5000]) func helpersJoinWork(pause: UInt32) {
    let pool = WorkerPool(helperCount: 3)
    for _ in 0..<20 {
      usleep(pause)
      let joined = Atomic<Int>(0)
      let hasRun = pool.run(helpers: 3) {
        joined.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while joined.load(ordering: .sequentiallyConsistent) < 4 { usleep(10) }
      }
      #expect(hasRun && joined.load(ordering: .relaxed) >= 4)
    }
  }

  @Test func workThatSharesAndOtherCallersAreSentAway() {
    let pool = WorkerPool(helperCount: 2)
    let answers = Mutex<[Bool]>([])
    #expect(
      pool.run(helpers: 2) {
        let answer = pool.run(helpers: 1) {}
        answers.withLock { $0.append(answer) }
      })
    #expect(answers.withLock { !$0.isEmpty && !$0.contains(true) })
    #expect(WorkerPool(helperCount: 0).run(helpers: 4) {} == false)
  }

  /// Callers on many threads, each of which shares its pieces again.
  @Test func chunksAreRightFromManyThreadsAndInsideEachOther() {
    let total = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      for _ in 0..<50 {
        parallelChunks(of: 6, size: 1) { _ in
          parallelChunks(of: 10, size: 3) { total.wrappingAdd($0.count, ordering: .relaxed) }
        }
      }
    }
    #expect(total.load(ordering: .relaxed) == 8 * 50 * 6 * 10)
  }
}
