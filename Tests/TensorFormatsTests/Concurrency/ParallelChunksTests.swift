import Foundation
import Synchronization
import TensorFormats
import Testing

@Suite struct ParallelChunksTests {
  @Test(arguments: [(0, 5), (1, 5), (5, 5), (6, 5), (10, 5), (1000, 7), (3, 100), (1, .max)])
  func everyElementIsInOneChunk(count: Int, size: Int) {
    let ranges = Mutex<[Range<Int>]>([])
    parallelChunks(of: count, size: size) { range in ranges.withLock { $0.append(range) } }
    let sorted = ranges.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
    #expect(sorted.flatMap { Array($0) } == Array(0..<count))
    #expect(sorted.allSatisfy { !$0.isEmpty && $0.count <= size })
  }

  @Test func theFirstErrorStopsTheRest() {
    struct Broken: Error, Equatable {}
    let calls = Atomic<Int>(0)
    let isThrown = Atomic<Bool>(false)
    // Later chunks wait for the error and take their time, so that a worker that went on would be seen.
    #expect(throws: Broken()) {
      try parallelChunks(of: 100_000, size: 1) { range in
        calls.wrappingAdd(1, ordering: .relaxed)
        if range.lowerBound == 3 {
          isThrown.store(true, ordering: .relaxed)
          throw Broken()
        }
        while range.lowerBound > 3, !isThrown.load(ordering: .relaxed) { usleep(100) }
        usleep(100)
      }
    }
    #expect(calls.load(ordering: .relaxed) < 10_000)
    #expect(throws: Broken()) { try parallelChunks(of: 1, size: 1) { _ in throw Broken() } }
  }

  /// Inside a chunk the others are busy: it is done in order, on the thread that asked.
  @Test func chunksInsideAChunkStayOnItsThread() {
    let isElsewhere = Atomic<Bool>(false)
    parallelChunks(of: 8, size: 1) { _ in
      if freeProcessorCount != 1 { isElsewhere.store(true, ordering: .relaxed) }
      let thread = pthread_self()
      let seen = Mutex<[Range<Int>]>([])
      parallelChunks(of: 10, size: 4) { range in
        if pthread_equal(pthread_self(), thread) == 0 { isElsewhere.store(true, ordering: .relaxed) }
        seen.withLock { $0.append(range) }
      }
      #expect(seen.withLock { $0 } == [0..<4, 4..<8, 8..<10])
    }
    #expect(!isElsewhere.load(ordering: .relaxed) || processorCount == 1)
    #expect(freeProcessorCount == processorCount)
  }
}
