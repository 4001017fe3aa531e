internal import Dispatch
internal import Synchronization

/// Runs `body` for every chunk of `0..<count`, on all cores, chunks handed out as workers become free.
///
/// A chunk should be worth at least half a millisecond: waking a worker takes up to a tenth of one. Inside a chunk the calling thread
/// works alone: the others have chunks of their own.
/// The first error stops further chunks and is thrown.
public func parallelChunks<Failure: Error>(
  of count: Int, size: Int, _ body: @Sendable (Range<Int>) throws(Failure) -> Void
) throws(Failure) {
  precondition(count >= 0 && size > 0, "\(count) elements in chunks of \(size)")
  let chunks = count / size + (count.isMultiple(of: size) ? 0 : 1)
  let threads = min(chunks, freeProcessorCount)
  if threads <= 1 {
    for start in stride(from: 0, to: count, by: size) { try body(start..<start + min(size, count - start)) }
    return
  }
  let next = Atomic<Int>(0)
  let failure = Mutex<Failure?>(nil)
  @Sendable func takeChunks() {
    while true {
      let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard chunk < chunks else { return }
      do throws(Failure) {
        let start = chunk * size
        try body(start..<start + min(size, count - start))
      } catch {
        failure.withLock { $0 = $0 ?? error }
        next.store(chunks, ordering: .relaxed)
      }
    }
  }
  @Sendable func work() { WorkerPool.$isAtWork.withValue(true) { takeChunks() } }
  if !WorkerPool.shared.run(helpers: threads - 1, work) {
    DispatchQueue.concurrentPerform(iterations: threads) { _ in work() }
  }
  if let error = failure.withLock({ $0 }) { throw error }
}
