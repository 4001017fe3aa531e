import Foundation
import TensorFormats
import Testing

@testable import ModelCompute

@Suite("Kernels of OpenBLAS")
struct BLASKernelsTests {
  @Test(arguments: ["Prescott", "Barcelona", "Nehalem", "Sandybridge"])
  func oldOnesAreReplacedByWhatTheProcessorHas(kernels: String) {
    #expect(BLASKernels.replacement(for: kernels, at: .baseline) == nil)
    #expect(BLASKernels.replacement(for: kernels, at: .v3) == "Haswell")
    #expect(BLASKernels.replacement(for: kernels, at: .v4) == "SkylakeX")
  }

  /// What OpenBLAS chose knowingly, and names that it does not have yet.
  @Test(arguments: ["Haswell", "Zen", "Excavator", "SkylakeX", "Cooperlake", "SapphireRapids", "DiamondRapids"])
  func newOnesStay(kernels: String) {
    for level in InstructionLevel.allCases { #expect(BLASKernels.replacement(for: kernels, at: level) == nil) }
  }

  #if arch(x86_64) && os(Linux)
    @Test(.enabled(if: ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil))
    func theOnesInUseAreOfThisProcessor() {
      #expect(BLASKernels.replacement(for: BLASKernels.current, at: .current) == nil)
      #expect(ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"] == nil)
    }
  #endif
}
