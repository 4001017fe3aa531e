internal import ModelArchitectures
internal import ModelCheckpoints
internal import OrderedCollections
internal import TensorFormats

/// The `README.md` of a model: what it was made from, what was done, what that cost, how to run it and how to make it again.
///
/// It follows from the recipe and the parent alone, so that the same recipe gives the same bytes.
struct ModelCard {
  let recipe: Recipe
  let parent: Checkpoint
  let result: Checkpoint

  func text() throws -> String {
    let sections = try [
      frontMatter(), title, whatWasDone, sizes, verification, howToRun, howToMakeAgain, licence(),
    ]
    return sections.compactMap { $0 }.joined(separator: "\n\n") + "\n"
  }

  private var name: String { recipe.provenance?.baseModel ?? recipe.parent.name }

  // MARK: Front matter

  /// Keys of the parent's own card that hold for what is made of it.
  private static let inherited = ["license", "license_name", "license_link", "language", "pipeline_tag"]

  private func frontMatter() throws -> String {
    var lines: [String] = []
    let matter = try parentCard().map(CardFrontMatter.init)
    for key in Self.inherited { lines += matter?.lines(key) ?? licenceLines(key) ?? [] }
    if let base = recipe.provenance?.baseModel {
      lines += ["base_model: \(base)"]
      if recipe.pruning == nil, recipe.overlay == nil { lines += ["base_model_relation: quantized"] }
    }
    if recipe.output == .huggingFace { lines += ["library_name: transformers"] }
    lines += ["tags:", "- mtconv"]
    if recipe.pruning != nil { lines += ["- pruned"] }
    if recipe.quantization != nil { lines += ["- fp8"] }
    return (["---"] + lines + ["---"]).joined(separator: "\n")
  }

  private func parentCard() throws -> [UInt8]? {
    try parent.carriedFiles.first { $0.name == CarriedFile.cardName }?.bytes()
  }

  /// What GGUF metadata says where there is no card.
  private func licenceLines(_ key: String) -> [String]? {
    guard let value = parent.metadataLicence[key] else { return nil }
    return ["\(key): \(value.isPlainYAML ? value : JSON.string(value).serialized())"]
  }

  // MARK: Body

  private var title: String {
    var words: [String] = []
    if recipe.pruning != nil { words.append("pruned") }
    if let overlay = recipe.overlay { words.append(Self.participles(of: overlay.method)) }
    if recipe.quantization != nil { words.append("FP8") }
    return "# \(name), \(words.joined(separator: ", "))\n\nMade from \(link) by \(recipe.tool)."
  }

  /// `healed, distilled` of `healing and distillation`.
  private static func participles(of method: String) -> String {
    let known = [("healing", "healed"), ("distillation", "distilled"), ("finetuning", "fine-tuned")]
    let words = known.filter { method.contains($0.0) }.map(\.1)
    return words.isEmpty ? method : words.joined(separator: ", ")
  }

  private var link: String {
    recipe.provenance?.baseModel.map { "[\($0)](https://huggingface.co/\($0))" } ?? "`\(recipe.parent.name)`"
  }

  private var whatWasDone: String {
    var lines: [String] = []
    if let plan = recipe.pruning {
      let dropped = plan.droppedLayers
      if dropped.count == 1 { lines.append("- Layer \(dropped[0]) was dropped.") }
      if dropped.count > 1 { lines.append("- Layers \(ModelDescription.ranges(dropped)) were dropped.") }
      lines += widths.map { "- \($0.name): \($0.parent) became \($0.result)." }
    }
    if let overlay = recipe.overlay {
      let count = overlay.weights.count
      lines.append("- \(count) \(count == 1 ? "weight was" : "weights were") replaced by \(overlay.method).")
      lines += distillation.map { [Self.description(of: $0)] } ?? []
    }
    if let scheme = recipe.quantization { lines.append("- " + Self.description(of: scheme)) }
    if let texts = recipe.provenance?.texts, !texts.isEmpty {
      let named = texts.sorted { $0.key < $1.key }.map { "`\($0.value.file.name)` (\($0.key))" }
      lines.append("- Texts: \(named.joined(separator: ", ")).")
    }
    return "## What was done\n\n" + lines.joined(separator: "\n")
  }

  private var distillation: DistillationReport? {
    recipe.overlay?.report?["distillation"].flatMap { try? $0.decoded() }
  }

  private static func description(of training: DistillationReport) -> String {
    "- Distilled from the parent on \(grouped(training.tokens)) tokens; the weights after step"
      + " \(grouped(training.bestStep)) of \(grouped(training.settings.steps)) are used, where the held-out perplexity was"
      + " \(rounded(training.best.perplexity.value, 3)) instead of \(rounded(training.start.perplexity.value, 3))."
  }

  private static func description(of scheme: QuantizationScheme) -> String {
    let (scale, activations) =
      switch scheme.kind {
      case .fp8Dynamic: ("output channel", "are quantized as they come")
      case .fp8Block: ("block of 128 × 128", "are quantized as they come")
      case .fp8Static: ("tensor", "have calibrated scales")
      }
    return "Linear weights are FP8 E4M3 with a scale for each \(scale); activations \(activations)."
      + (scheme.quantizesKeyValueCache ? " The key-value cache has calibrated scales, too." : "")
  }

  private struct Width {
    let name: String
    let parent: Int
    let result: Int
  }

  private var widths: [Width] {
    let (a, b) = (parent.hyperparameters, result.hyperparameters)
    return [
      Width(name: "Hidden channels", parent: a.hiddenSize, result: b.hiddenSize),
      Width(name: "Neurons of a layer", parent: a.intermediateSize, result: b.intermediateSize),
      Width(name: "Query heads", parent: a.queryHeadCount, result: b.queryHeadCount),
      Width(name: "Key-value heads", parent: a.keyValueHeadCount, result: b.keyValueHeadCount),
    ].filter { $0.parent != $0.result }
  }

  private var sizes: String {
    let rows = [
      ("parameters", parent.parameterCount, result.parameterCount),
      ("bytes of weights", parent.byteCount, result.byteCount),
      ("layers", parent.hyperparameters.layerCount, result.hyperparameters.layerCount),
    ]
    return "| | parent | this model |\n|---|---:|---:|\n"
      + rows.map { "| \($0) | \(Self.grouped($1)) | \(Self.grouped($2)) |" }.joined(separator: "\n")
      + "\n| element format | \(parent.mainFormat) | \(result.mainFormat) |"
  }

  private var verification: String? {
    guard let found = recipe.verification else { return nil }
    let text = found.text.map { "`\($0)`" } ?? "random tokens"
    let ending = found.emulation.map { ", this model with \($0.text)" } ?? ""
    return """
      ## Verification

      The written files \(found.isCorrect ? "hold" : "DO NOT hold") exactly what the recipe makes of the parent. Both were run on \
      \(Self.grouped(found.tokens)) tokens of \(text)\(ending):

      | | parent | this model |
      |---|---:|---:|
      | perplexity | \(Self.rounded(found.parentPerplexity, 3)) | \(Self.rounded(found.perplexity, 3)) |
      | KL divergence from the parent, nats | | \(Self.rounded(found.divergence, 5)) |
      | same most likely token | | \(Self.rounded(100 * found.topAgreement, 1)) % |
      """
  }

  private var howToRun: String {
    if recipe.output == .gguf {
      return "## How to run it\n\n```sh\nllama-cli -m MODEL.gguf -p \"Once upon a time\"\n```"
    }
    let server = recipe.quantization != nil ? "\n\n```sh\nvllm serve PATH\n```" : ""
    return """
      ## How to run it

      ```python
      from transformers import AutoModelForCausalLM, AutoTokenizer

      tokenizer = AutoTokenizer.from_pretrained("PATH")
      model = AutoModelForCausalLM.from_pretrained("PATH", dtype="auto")
      ids = tokenizer("Once upon a time", return_tensors="pt")
      print(tokenizer.decode(model.generate(**ids, max_new_tokens=32)[0]))
      ```
      """ + server
  }

  private var howToMakeAgain: String {
    let hash = recipe.parent.contentHash.map { "\n\nThe parent's content hash is `\($0)`." } ?? ""
    let manifest = recipe.output == .gguf ? "MODEL.gguf" : "mtconv.json"
    return "## How to make it again\n\n```sh\nmtconv replay \(manifest) --parent PARENT\(newWeights) -o AGAIN"
      + (recipe.output == .gguf ? ".gguf" : "") + "\n```" + (weightsFile ?? "") + hash
  }

  /// Where the file of trained weights is to be found.
  private var weightsFile: String? {
    guard let overlay = recipe.overlay, overlay.method.contains("distillation") else { return nil }
    return
      "\n\n`distilled.safetensors` holds the trained weights, content hash `\(overlay.contentHash)`; it is in the folder"
      + " that `--work` named when they were trained."
  }

  /// Where `replay` takes the weights from that do not follow from the parent: healing can be done again, training cannot.
  private var newWeights: String {
    guard let overlay = recipe.overlay else { return "" }
    let isHealedOnText = overlay.method == "healing" && recipe.provenance?.texts["calibration"] != nil
    if isHealedOnText, overlay.report?["settings"] != nil { return " --calibration TEXT" }
    return " --heal \(overlay.method.contains("distillation") ? "distilled" : "healed").safetensors"
  }

  private func licence() throws -> String? {
    let files = parent.carriedFiles.map(\.name).filter { $0.hasPrefix("LICEN") }
    let stated = try parentCard().map(CardFrontMatter.init)?.scalar("license")
    guard let stated = stated ?? parent.metadataLicence["license"] else {
      return files.first.map { "## Licence\n\nThat of the parent: [\($0)](\($0))." }
    }
    return "## Licence\n\nThat of the parent: \(stated)." + (files.first.map { " See [\($0)](\($0))." } ?? "")
  }
}

extension ModelCard {
  /// `1,234,567`; for counts, which are not negative.
  static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    let groups = stride(from: digits.count % 3 == 0 ? 0 : digits.count % 3 - 3, to: digits.count, by: 3)
    return groups.map { String(digits[max($0, 0)..<$0 + 3]) }.joined(separator: ",")
  }

  /// With so many digits behind the point.
  static func rounded(_ value: Double, _ digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
    guard value.isFinite, abs(value) * scale < 1e15 else { return "\(value)" }
    let number = Int((abs(value) * scale).rounded())
    let text = String(number)
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return (value < 0 && number > 0 ? "-" : "") + padded.dropLast(digits)
      + (digits > 0 ? "." + padded.suffix(digits) : "")
  }
}

extension String {
  /// Whether YAML reads it back as the same text without quotes.
  fileprivate var isPlainYAML: Bool {
    !isEmpty
      && utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || "-._".utf8.contains(byte)
      }
  }
}
