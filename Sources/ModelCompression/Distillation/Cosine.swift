#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// cos(π · x)
func cosine(_ halfTurns: Double) -> Double { cos(Double.pi * halfTurns) }
