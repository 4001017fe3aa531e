import Foundation
import Synchronization
import TensorFormats
import Testing

@testable import ModelCompute

@Suite struct TurnsTests {
  /// The first pieces take the longest.
  @Test func piecesEndInTheirOrder() throws {
    let turns = Turns(count: 20)
    let ended = Mutex<[Int]>([])
    try parallelChunks(of: 20, size: 1) { range in
      usleep(UInt32(2000 - 100 * range.lowerBound))
      try turns.take(range.lowerBound) { ended.withLock { $0.append(range.lowerBound) } }
    }
    #expect(ended.withLock { $0 } == Array(0..<20))
  }

  @Test func nothingEndsBehindAFailure() {
    struct Broken: Error, Equatable {}
    let turns = Turns(count: 20)
    let ended = Mutex<[Int]>([])
    #expect(throws: Broken()) {
      try parallelChunks(of: 20, size: 1) { range in
        try turns.take(range.lowerBound) {
          if range.lowerBound == 7 { throw Broken() }
          ended.withLock { $0.append(range.lowerBound) }
        }
      }
    }
    #expect(ended.withLock { $0 } == Array(0..<7))
  }
}
