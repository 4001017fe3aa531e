#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Processors of this machine that are online.
public let processorCount = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

/// Processors for work that is started here: one inside a chunk of `parallelChunks`, because the others have chunks of their own.
public var freeProcessorCount: Int { WorkerPool.isAtWork ? 1 : processorCount }
