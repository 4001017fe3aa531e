extension Architecture {
  /// Llama 1 to 3.x and the many that share its layout (SmolLM2, Llama-3.1-Minitron). The neutral family.
  public static let llama = Architecture("llama") {
    $0.interleavesRotaryInGGUF = true
    $0.ggufHasRotaryFactors = true
    $0.divisibleByHeads = true
    $0.defaults.normEpsilon = 1e-6
    $0.defaults.contextLength = 2048
    $0.fields = [.attentionBias, .feedForwardBias]
  }
}
