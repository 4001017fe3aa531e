public import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

/// A recipe carried out again: the same bytes from the same parent.
public struct Replay: Sendable {
  public let recipe: Recipe
  /// The model that the recipe was taken from, to compare with; nil for a recipe alone.
  public let original: Checkpoint?

  /// Takes the recipe from a file such as `mtconv.json`, or from a model that carries one.
  /// - Throws: `CompressionError.wrongRecipe` if there is none.
  public init(path: String) throws {
    if FileSystem.kind(of: path) == .file, path.hasSuffix(".json") {
      original = nil
      do {
        recipe = try JSON(parsing: FileSystem.read(path)).decoded()
      } catch let error as FileError {
        throw error
      } catch {
        throw CompressionError(.wrongRecipe, "'\(path)' cannot be read: \(decodingMessage(error))")
      }
      return
    }
    let model = try Checkpoint(path: path)
    guard let recipe = try Recipe(of: model) else {
      throw CompressionError(
        .wrongRecipe, "'\(path)' does not say how it was made: it has no \(CarriedFile.recipeName)")
    }
    (self.recipe, original) = (recipe, model)
  }

  /// Throws `wrongRecipe` unless `parent` is the model that the recipe was made for, by the hash of all it computes with.
  public func check(parent: Checkpoint, progress: @escaping WorkProgress.Handler = { _ in }) throws {
    // Sizes say so at once where they differ.
    try recipe.parent.check(Recipe.Parent(parent))
    guard recipe.parent.contentHash != nil else { return }
    try recipe.parent.check(Recipe.Parent(parent, contentHash: try parent.contentHash(progress: progress)))
  }

  /// Throws `wrongRecipe` unless a text is the one that was used for `purpose`.
  public func check(text path: String, for purpose: String) throws {
    guard let record = recipe.provenance?.texts[purpose]?.file else {
      throw CompressionError(.wrongRecipe, "the recipe used no text for \(purpose)")
    }
    let hash = try ContentHash(ofFile: path)
    guard hash == record.sha256 else {
      throw CompressionError(
        .wrongRecipe, "'\(path)' has SHA-256 \(hash); the recipe used '\(record.name)' with \(record.sha256)")
    }
  }

  /// Heals again what the recipe says was healed, on the same text with the same settings.
  ///
  /// - Throws: `CompressionError.wrongRecipe` for another text, and for weights that were not healed; `wrongOverlay` if the outcome is
  ///   not the recorded one, as a processor with other instructions may give.
  public func healing(
    of parent: Checkpoint, on path: String, scratchFolder: String? = nil,
    progress: @escaping WorkProgress.Handler = { _ in }
  ) throws -> WeightOverlay {
    if let record = recipe.overlay, record.report?["distillation"] != nil || record.method != "healing" {
      throw CompressionError(
        .wrongRecipe,
        "its weights were made by \(record.method), and training is not repeated here: give --heal FILE, or run the recipe's command"
          + " again, which makes the same weights on the same kind of processor with as many threads")
    }
    guard let plan = recipe.pruning, let record = recipe.overlay,
      let stated = record.report?["settings"], let text = recipe.provenance?.texts["calibration"]
    else {
      throw CompressionError(.wrongRecipe, "the recipe does not say how its weights were healed; give --heal FILE")
    }
    try check(text: path, for: "calibration")
    guard text.context > 0, text.sequences > 0 else {
      throw CompressionError(
        .wrongRecipe, "the recipe's text has \(text.sequences) sequences of \(text.context) tokens, expected at least 1"
      )
    }
    let input = text.field.map { TextInput(path: path, kind: .jsonLines(field: $0)) } ?? TextInput(path: path)
    let set = try CalibrationSet(
      reading: input, model: parent, context: text.context, limit: text.sequences,
      isSpread: text.isSpread ?? false, beginsSequences: text.beginsSequences)
    var healer = Healer(try stated.decoded())
    healer.progress = progress
    healer.scratchFolder = scratchFolder
    let overlay = try healer.heal(parent, plan: plan, on: set).overlay
    try recipe.check(overlay: overlay)
    return overlay
  }

  /// Whether a result computes what the original does, by content hash; nil if there is no original.
  public func matches(_ result: Checkpoint, progress: @escaping WorkProgress.Handler = { _ in }) throws -> Bool? {
    guard let original else { return nil }
    return try original.contentHash(progress: progress) == result.contentHash(progress: progress)
  }
}
