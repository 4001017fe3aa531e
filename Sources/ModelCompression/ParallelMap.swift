internal import TensorFormats

/// What `body` makes of each of `0..<count`, in order, computed on all cores in chunks. Sums over the result do not depend on who
/// was first.
func parallelMap<Result: Sendable, Failure: Error>(
  of count: Int, chunk: Int = 1, _ body: @Sendable (Int) throws(Failure) -> Result
) throws(Failure) -> [Result] {
  let results = UnsafeMutableBufferPointer<Result?>.allocate(capacity: count)
  results.initialize(repeating: nil)
  defer {
    results.deinitialize()
    results.deallocate()
  }
  nonisolated(unsafe) let output = results
  try parallelChunks(of: count, size: max(chunk, 1)) { range throws(Failure) in
    for index in range { output[index] = try body(index) }
  }
  return results.map { $0! }
}
