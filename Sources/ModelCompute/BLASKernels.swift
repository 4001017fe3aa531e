internal import CModelBLAS
internal import TensorFormats

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Which of its kernels OpenBLAS runs.
///
/// It knows processors by their numbers, and gives one that is younger than the library the kernels of the oldest that has
/// 64 bits, though both say which instructions they have. Debian 12's (0.3.21) takes an Emerald Rapids for a Prescott: a
/// fifth of the speed. So where its kernels are of a time before AVX2, and the processor is not, it is told to choose
/// again, by the name of a processor with the same instructions.
public enum BLASKernels {
  /// The kernels in use, by OpenBLAS's name of their processor.
  public static var current: String {
    _ = BLAS.setUp
    return loaded
  }

  private static var loaded: String { String(cString: openblas_get_corename()) }

  /// The variable by which OpenBLAS takes orders. One that the user has given stands.
  private static let variable = "OPENBLAS_CORETYPE"

  /// Must come before the first product of the process.
  static func chooseForProcessor() {
    #if arch(x86_64) && os(Linux)
      guard let name = replacement(for: loaded, at: .current), getenv(variable) == nil else { return }
      setenv(variable, name, 1)
      _ = mtconv_blas_choose_kernels()
      unsetenv(variable)
    #endif
  }

  /// The kernels to take in place of `kernels` on a processor of this level, or nil where they will do.
  static func replacement(for kernels: String, at level: InstructionLevel) -> String? {
    guard withoutAVX2.contains(kernels.lowercased()) else { return nil }
    return switch level {
    case .baseline: nil
    case .v3: "Haswell"
    case .v4: "SkylakeX"
    }
  }

  /// What OpenBLAS calls the x86-64 processors that have no AVX2. All are history: no new name will join them.
  private static let withoutAVX2: Set<String> = [
    "unknown", "prescott", "core2", "penryn", "dunnington", "nehalem", "sandybridge", "atom", "nano", "opteron",
    "opteron_sse3", "opteron(sse3)", "barcelona", "bobcat", "bulldozer", "piledriver", "steamroller",
  ]
}
