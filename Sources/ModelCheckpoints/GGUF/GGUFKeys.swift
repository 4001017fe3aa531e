/// Metadata keys of our own, which other readers pass over.
enum GGUFKeys {
  /// A small text file of the Hugging Face directory, by its name: what GGUF's own keys cannot say survives in it.
  static func file(_ name: String) -> String { "mtconv.file.\(name)" }
  static let filePrefix = "mtconv.file."
  /// Norm weights that `(w + 1) − 1` does not give back.
  static func exactValues(_ tensor: String) -> String { "mtconv.exact.\(tensor)" }
  /// The record of how the file was made.
  static let recipe = "mtconv.recipe"
  /// The tokenizer.json, under the key that the GGUF specification has for it.
  static let tokenizerJSON = "tokenizer.huggingface.json"
  static let rotaryFactors = "rope_freqs.weight"
}
