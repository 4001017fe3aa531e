#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif
internal import Synchronization

/// Memory that matrices of the same size use one after the other.
///
/// A pass makes and drops a dozen matrices in every block; taking fresh pages from the system each time costs as much as a
/// tenth of the pass.
final class Workspace: Sendable {
  /// Bytes kept at most while no matrix uses them.
  let capacity: Int

  private struct Idle: @unchecked Sendable {
    var starts: [Int: [UnsafeMutablePointer<Float>]] = [:]
    var bytes = 0
  }

  private let idle = Mutex(Idle())

  init(capacity: Int = 256 << 20) { self.capacity = capacity }

  func memory(count: Int) -> MatrixMemory {
    let start = idle.withLock { idle -> MatrixMemory.Start in
      let start = idle.starts[count]?.popLast()
      if start != nil { idle.bytes -= count * 4 }
      return MatrixMemory.Start(pointer: start)
    }
    return MatrixMemory(count: count, start: start.pointer, workspace: self)
  }

  fileprivate func recycle(_ start: MatrixMemory.Start, count: Int) {
    let isKept = idle.withLock { idle in
      guard idle.bytes + count * 4 <= capacity else { return false }
      if let pointer = start.pointer { idle.starts[count, default: []].append(pointer) }
      idle.bytes += count * 4
      return true
    }
    if !isKept, let pointer = start.pointer { MatrixMemory.release(pointer, count: count) }
  }

  deinit {
    let idle = idle.withLock { $0 }
    for (count, starts) in idle.starts {
      for start in starts { MatrixMemory.release(start, count: count) }
    }
  }
}

/// The memory of a matrix and of the views into it.
final class MatrixMemory: @unchecked Sendable {
  struct Start: @unchecked Sendable { let pointer: UnsafeMutablePointer<Float>? }

  let start: UnsafeMutablePointer<Float>
  private let count: Int
  private let workspace: Workspace?

  init(count: Int, start: UnsafeMutablePointer<Float>? = nil, workspace: Workspace? = nil) {
    self.count = count
    self.workspace = workspace
    self.start = start ?? Self.allocate(count)
    #if DEBUG
      // A step that forgets a value shows in every test.
      self.start.update(repeating: .nan, count: count)
    #endif
  }

  deinit {
    if let workspace {
      workspace.recycle(Start(pointer: start), count: count)
    } else {
      Self.release(start, count: count)
    }
  }

  /// Bytes from which on memory comes from the system itself and goes back to it. Left to `malloc`, freed matrices of many sizes
  /// become holes that double the memory of a long run.
  private static let mappingThreshold = 1 << 20

  private static func byteCount(_ count: Int) -> Int { max(64, (count * 4 + 63) & ~63) }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = byteCount(count)
    let memory: UnsafeMutableRawPointer?
    if bytes >= mappingThreshold {
      memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    } else {
      memory = aligned_alloc(64, bytes)
    }
    guard let memory, memory != MAP_FAILED else { fatalError("cannot allocate \(bytes) bytes for a matrix") }
    return memory.bindMemory(to: Float.self, capacity: bytes / 4)
  }

  /// Gives back what `allocate(count)` gave.
  fileprivate static func release(_ start: UnsafeMutablePointer<Float>, count: Int) {
    let bytes = byteCount(count)
    if bytes >= mappingThreshold { munmap(start, bytes) } else { free(start) }
  }
}
