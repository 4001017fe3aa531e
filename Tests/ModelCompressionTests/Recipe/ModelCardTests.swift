import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import TensorFormats
import Testing

@testable import ModelCompression

/// Licence, origin and card go along from a directory to GGUF and back.
@Suite struct ModelCardTests {
  private static let plan = PruningPlan(parentLayerCount: 3, keptLayers: [0, 2], criterion: .explicit)
  private let folder = TemporaryFolder()
  private let parent: Checkpoint

  init() throws {
    let card = "---\nlicense: apache-2.0\nlanguage:\n- en\n---\n# The parent\n"
    try folder.makeDirectory("models--house--pico")
    for name in ["config.json", "model.safetensors"] {
      try folder.write(FileSystem.read(Fixture.path("models/llama-pico/\(name)")), to: "models--house--pico/\(name)")
    }
    try folder.write(card, to: "models--house--pico/README.md")
    try folder.write("Apache License", to: "models--house--pico/LICENSE")
    parent = try Checkpoint(path: folder.file("models--house--pico"))
  }

  private func write(_ parent: Checkpoint, _ name: String, pruning: PruningPlan? = plan) throws -> Checkpoint {
    var recipe = Recipe(parent: parent, output: Checkpoint.FileFormat(outputPath: name), pruning: pruning)
    if recipe.output == .huggingFace { recipe.elementFormat = .bf16 }
    try recipe.seal(parent: parent)
    try recipe.write(of: parent, to: folder.file(name))
    return try Checkpoint(path: folder.file(name))
  }

  private func text(_ name: String, of model: Checkpoint) throws -> String? {
    try model.carriedFiles.first { $0.name == name }.map { String(decoding: try $0.bytes(), as: UTF8.self) }
  }

  @Test func aDirectoryGetsACardOfItsOwnAndKeepsTheParents() throws {
    let made = try write(parent, "small")
    let card = try #require(try text("README.md", of: made))
    #expect(
      card.hasPrefix(
        """
        ---
        license: apache-2.0
        language:
        - en
        base_model: house/pico
        library_name: transformers
        tags:
        - mtconv
        - pruned
        ---

        # house/pico, pruned

        """))
    #expect(card.contains("- Layer 1 was dropped."))
    #expect(card.contains("See [LICENSE](LICENSE)."))
    #expect(try text("PARENT_README.md", of: made)?.hasSuffix("# The parent\n") == true)
    #expect(try text("LICENSE", of: made) == "Apache License")
    #expect(try Recipe(of: made)?.provenance?.parentFiles.count == 2)
    // Nothing says where the parent lay.
    for name in ["README.md", "mtconv.json"] { #expect(try !folder.text(of: "small/\(name)").contains(folder.path)) }
  }

  @Test func theFileOfTrainedWeightsIsNamedWithItsHash() throws {
    var recipe = Recipe(parent: parent, output: .huggingFace, pruning: Self.plan)
    let hash = ContentHash(of: [1])
    for (method, isNamed) in [("healing", false), ("distillation", true)] {
      recipe.overlay = OverlayRecord(method: method, contentHash: hash, weights: [:])
      let card = try ModelCard(recipe: recipe, parent: parent, result: parent.pruned(by: Self.plan)).text()
      #expect(card.contains("`distilled.safetensors` holds the trained weights, content hash `\(hash)`") == isNamed)
    }
  }

  @Test func ggufCarriesItUnderItsOwnKeysAndBack() throws {
    let made = try write(parent, "small.gguf")
    #expect(made.metadataLicence == ["license": "apache-2.0"])
    #expect(try text("LICENSE", of: made) == "Apache License")
    let card = try #require(try text("README.md", of: made))
    #expect(card.contains("llama-cli") && card.contains("license: apache-2.0"))
    // Another cut, this time from the GGUF file into a directory.
    let again = try write(
      made, "smaller", pruning: PruningPlan(parentLayerCount: 2, keptLayers: [1], criterion: .explicit))
    #expect(try text("README.md", of: again)?.contains("license: apache-2.0") == true)
    #expect(try text("PARENT_README.md", of: again) == card)
    #expect(try text("LICENSE", of: again) == "Apache License")
  }

  @Test func aPlanForAnotherModelIsRefused() throws {
    var plan = Self.plan
    plan.parent = PruningPlan.Parent(parent, contentHash: ContentHash(of: []))
    #expect(throws: CompressionError(.invalidPlan, "")) { _ = try write(parent, "small", pruning: plan) }
    plan.parent?.contentHash = try parent.contentHash()
    #expect(try write(parent, "small", pruning: plan).hyperparameters.layerCount == 2)
  }

  @Test func aMereConversionKeepsTheParentsCard() throws {
    let made = try write(parent, "same", pruning: nil)
    #expect(try text("README.md", of: made)?.hasSuffix("# The parent\n") == true)
  }

  @Test func numbersAreWrittenForPeople() {
    #expect(
      [0, 12, 123, 1234, 123_456, 1_234_567].map(ModelCard.grouped) == [
        "0", "12", "123", "1,234", "123,456", "1,234,567",
      ])
    #expect(ModelCard.rounded(0.0456, 3) == "0.046" && ModelCard.rounded(-2.5, 0) == "-3")
    #expect(ModelCard.rounded(.infinity, 2) == "inf" && ModelCard.rounded(31.4703, 3) == "31.470")
  }

  @Test(arguments: [
    ("/home/me/models/x.gguf", "x.gguf"), ("--calibration=/a/b.txt", "--calibration=b.txt"), ("--fp8", "--fp8"),
    ("dir/", "dir"), ("text", "text"),
  ])
  func argumentsLoseTheirFolders(argument: String, expected: String) {
    #expect(Recipe.withoutFolders(argument) == expected)
  }
}
