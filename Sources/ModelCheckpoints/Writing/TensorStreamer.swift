internal import Synchronization
internal import TensorFormats

/// Sends the bytes of lazy tensors to a writer, panels computed on all cores: handed over in order, or put in their places by who made
/// them.
final class TensorStreamer: Sendable {
  private let phase: String
  private let total: Int
  private let handler: WorkProgress.Handler
  private let completed = Mutex(0)

  init(phase: String, total: Int, handler: @escaping WorkProgress.Handler) {
    self.phase = phase
    self.total = total
    self.handler = handler
  }

  /// Calls `sink` with consecutive pieces of the tensor. Throws `CancellationError` when the task is cancelled.
  func stream(_ tensor: LazyTensor, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard tensor.elementCount > 0 else { return }
    try tensor.source.prepare()
    if tensor.source is MappedTensor || tensor.rowCount <= tensor.panelRowCount {
      try tensor.forEachPanel { _, bytes in try pass(bytes, to: sink) }
    } else {
      try streamInWaves(tensor, to: sink)
    }
  }

  /// Writes the tensor's bytes from `start` on. Throws `CancellationError` when the task is cancelled.
  func stream(_ tensor: LazyTensor, to places: OutputPlaces, at start: Int) throws {
    guard tensor.elementCount > 0 else { return }
    try Task.checkCancellation()
    try tensor.source.prepare()
    let rowBytes = tensor.rowByteCount
    try withUnsafeCurrentTask { task in
      // Asked from other threads, as it may be.
      nonisolated(unsafe) let task = task
      try parallelChunks(of: tensor.rowCount, size: tensor.panelRowCount) { rows in
        if task?.isCancelled == true { throw CancellationError() }
        try tensor.withRows(rows) { bytes in
          precondition(bytes.count == rows.count * rowBytes, "\(bytes.count) bytes for \(rows.count) rows")
          try places.write(bytes, at: start + rows.lowerBound * rowBytes)
        }
        self.report(rows.count * rowBytes)
      }
    }
  }

  private func streamInWaves(_ tensor: LazyTensor, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    let panel = tensor.panelRowCount
    let rowBytes = tensor.rowByteCount
    let wave = panel * 2 * processorCount
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(wave, tensor.rowCount) * rowBytes, alignment: 64)
    defer { buffer.deallocate() }
    nonisolated(unsafe) let output = buffer
    for start in stride(from: 0, to: tensor.rowCount, by: wave) {
      let rows = min(wave, tensor.rowCount - start)
      try parallelChunks(of: rows, size: panel) { chunk in
        try tensor.withRows(start + chunk.lowerBound..<start + chunk.upperBound) { bytes in
          output.baseAddress!.advanced(by: chunk.lowerBound * rowBytes)
            .copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        }
      }
      try pass(UnsafeRawBufferPointer(rebasing: buffer[..<(rows * rowBytes)]), to: sink)
    }
  }

  private func pass(_ bytes: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    try Task.checkCancellation()
    try sink(bytes)
    report(bytes.count)
  }

  private func report(_ count: Int) {
    let sum = completed.withLock { completed in
      completed += count
      return completed
    }
    handler(WorkProgress(phase: phase, completed: sum, total: total, unit: .bytes))
  }
}

/// Throws if a file system does not have the room for an output.
func checkSpace(_ bytes: Int, at path: String) throws {
  guard let available = FileSystem.availableBytes(at: path), available < bytes else { return }
  throw CheckpointError(.noSpace, "'\(path)' needs \(bytes) bytes, \(available) are free")
}
