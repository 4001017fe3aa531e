import MTConvTestSupport
import ModelArchitectures
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCheckpoints

@Suite struct ContentHashTests {
  // By Fixtures/generate/content_hash.py, which follows the rule with hashlib.
  @Test(arguments: [
    ("llama-pico", "f28f9c18cf4f6a4dc376ea4373bfc293e62b6b417b621c967036e1951425b77b"),
    ("llama-pico-bf16-sharded", "28e97feea9b752c287d68bbe5dae026314078aaf9e837b0e6facf5b578cc9a3e"),
    ("kjv-1m", "4515ad38010e8ab6d91f31dd094f2b56dc5ee0146c71700e26e62ce6673ba0b7"),
  ])
  func agreesWithHashlib(model: String, expected: String) throws {
    let hash = try Checkpoint(path: Fixture.path("models/\(model)")).contentHash()
    #expect(hash.description == expected)
  }

  @Test func aLazyModelAndItsFilesHaveTheSameHash() throws {
    let folder = TemporaryFolder()
    let parent = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    let cut = try parent.keeping(layers: [0, 2, 3, 11], indices: [ScopedAxis(.hidden): Array(0..<64)])
    var options = WriteOptions()
    options.maximumShardSize = 100_000
    try cut.write(to: folder.file("cut"), as: .huggingFace, options)
    let written = try Checkpoint(path: folder.file("cut"))
    #expect(try cut.contentHash() == written.contentHash())
    #expect(try cut.contentHash() != parent.contentHash())
  }

  @Test func nothingThatCountsCanChangeUnseen() throws {
    let parent = try Checkpoint(path: Fixture.path("models/llama-pico"))
    let hash = try parent.contentHash()
    var other = parent
    other.hyperparameters.rotary.base += 1
    #expect(try other.contentHash() != hash)
    other = parent
    let norm = WeightKey(.finalNorm)
    other.weights[norm]!.values = other.weights[norm]!.values.mapped(by: 2, plus: 0)
    #expect(try other.contentHash() != hash)
    other = parent
    other.weights[norm]!.inputScale = LazyTensor([1], shape: [1])
    #expect(try other.contentHash() != hash)
    other = parent
    other.path = "elsewhere"
    other.carriedFiles = []
    #expect(try other.contentHash() == hash)
  }
}
