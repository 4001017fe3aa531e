import Dispatch
import Foundation
import Synchronization
import Testing

@testable import TensorFormats

@Suite struct WorkerPoolTests {
  /// More helpers than this machine has cores, and jobs that do not need them all; now and then a pause in which they fall asleep.
  @Test func everyHelperThatIsAskedForRunsTheWorkOnce() {
    let pool = WorkerPool(helperCount: 5)
    for job in 0..<2000 {
      let helpers = job % 7
      let calls = Atomic<Int>(0)
      let hasRun = pool.run(helpers: helpers) { calls.wrappingAdd(1, ordering: .relaxed) }
      let expected = helpers == 0 ? 0 : 1 + min(helpers, 5)
      #expect(hasRun == (helpers > 0) && calls.load(ordering: .relaxed) == expected)
      if job.isMultiple(of: 200) { usleep(2000) }
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
    #expect(answers.withLock { $0 } == [false, false, false])
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
