extension Architecture {
  /// Every family this package knows.
  public static let all: [Architecture] = [.llama, .qwen2, .qwen3, .gemma2, .nemotron, .phi]

  /// The family of a `model_type` of transformers.
  public static func named(_ modelType: String) -> Architecture? { all.first { $0.name == modelType } }

  /// The family of a `general.architecture` of GGUF.
  public static func gguf(_ name: String) -> Architecture? { all.first { $0.ggufName == name } }
}
