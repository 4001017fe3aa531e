internal import ModelArchitectures
internal import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

/// What a written checkpoint should be, and how it is known of each weight.
struct Expectation {
  /// The recipe applied again in memory; weights whose overlay is not at hand are the file's own.
  let checkpoint: Checkpoint
  let checks: VerificationReport.Checks
  /// Weights that are not what the recipe's hashes say.
  let strangers: [String]

  init(of written: Checkpoint, parent: Checkpoint, recipe: Recipe?, overlay: WeightOverlay?) throws {
    let count = written.weights.count
    guard let recipe, let record = recipe.overlay, overlay == nil else {
      checkpoint = try recipe?.applied(to: parent, overlay: overlay) ?? parent
      let overlaid = overlay?.weights.count ?? 0
      checks = VerificationReport.Checks(recomputed: count - overlaid, overlaid: overlaid, hashed: 0)
      strangers = []
      return
    }
    var result = try recipe.appliedWithoutOverlay(to: parent)
    let keys = Dictionary(uniqueKeysWithValues: written.weights.keys.map { (written.huggingFaceName(of: $0), $0) })
    var strangers: [String] = []
    for (name, hash) in record.weights.sorted(by: { $0.key < $1.key }) {
      guard let key = keys[name] else {
        throw CompressionError(
          .wrongRecipe, "the recipe has the hash of a weight '\(name)' that the model does not have")
      }
      result.weights[key] = written.weights[key]
      if try written.contentHash(of: key) != hash { strangers.append(name) }
    }
    checkpoint = result
    let hashed = record.weights.count
    checks = VerificationReport.Checks(recomputed: count - hashed, overlaid: 0, hashed: hashed)
    self.strangers = strangers
  }
}
