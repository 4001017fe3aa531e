internal import CTensorKernels

#if _endian(big)
  #error("the kernels read and write little-endian numbers as the processor stores them")
#endif

/// The instruction sets a kernel is compiled for. Every level gives the same bits; only the speed differs.
package enum InstructionLevel: Int, CaseIterable, Comparable, Sendable {
  /// What the target architecture always has: SSE2 on x86-64, NEON on arm64.
  case baseline = 1
  /// x86-64-v3: AVX2 and F16C.
  case v3 = 3
  /// x86-64-v4: AVX-512.
  case v4 = 4

  /// The best level of this processor, found once.
  package static let current: InstructionLevel = {
    #if arch(x86_64)
      return InstructionLevel(rawValue: Int(mtconv_cpu_level())) ?? .baseline
    #else
      return .baseline
    #endif
  }()

  package var name: String {
    switch self {
    case .baseline: "baseline instructions"
    case .v3: "AVX2"
    case .v4: "AVX-512"
    }
  }

  /// Every level this processor runs.
  package static var available: [InstructionLevel] { allCases.filter { $0 <= current } }

  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
