import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@Suite struct ShardPlanTests {
  /// Tensors of `sizes` bytes, called t0, t1, …, and the files huggingface_hub puts them into.
  struct Expected: CustomTestStringConvertible {
    let sizes: [Int]
    let limit: Int
    let fileNames: [String]
    let tensors: [[String]]

    init(_ plan: JSON) {
      sizes = plan["sizes"]!.array!.map { $0.int! }
      limit = plan["limit"]!.int!
      let files = plan["files"]!.object!
      fileNames = Array(files.keys)
      tensors = files.values.map { $0.array!.map { $0.string! } }
    }

    var testDescription: String { "\(sizes) in \(limit)" }
  }

  @Test(arguments: Manifest.json("safetensors/plans.json").array!.map(Expected.init))
  func sharesTensorsOutAsTheReferenceDoes(_ expected: Expected) throws {
    let tensors = expected.sizes.enumerated().map { TensorInfo(name: "t\($0)", format: .u8, shape: [$1]) }
    let plan = try ShardPlan(tensors: tensors, maximumBytes: expected.limit)
    #expect(plan.shards.map(\.fileName) == expected.fileNames)
    #expect(plan.shards.map { $0.tensors.map(\.name) } == expected.tensors)
    #expect(plan.totalSize == expected.sizes.reduce(0, +))
    #expect(plan.isSharded == (expected.fileNames.count > 1))
  }

  @Test func putsEverythingInOneFileWithoutALimit() throws {
    let plan = try ShardPlan(tensors: [TensorInfo(name: "a", format: .f64, shape: [1 << 50])])
    #expect(plan.shards.map(\.fileName) == ["model.safetensors"])
    #expect(try ShardPlan(tensors: [], maximumBytes: 1).shards.map(\.tensors) == [[]])
  }

  @Test func makesTheIndex() throws {
    let tensors = ["a", "b", "c"].map { TensorInfo(name: $0, format: .bf16, shape: [2]) }
    let index = try ShardPlan(tensors: tensors, maximumBytes: 8).index()
    #expect(index["b"] == "model-00001-of-00002.safetensors")
    #expect(index["c"] == "model-00002-of-00002.safetensors")
    #expect(index.totalSize == 12)
    #expect(index.totalParameters == 6)
    #expect(try ShardPlan(tensors: tensors, maximumBytes: 8).index(totalParameters: 5).totalParameters == 5)
  }

  @Test func refusesSizesThatCannotBe() {
    let large = TensorInfo(name: "a", format: .u8, shape: [.max])
    #expect(throws: SafetensorsError(.validationOverflow, "")) { try ShardPlan(tensors: [large, large]) }
    let odd = TensorInfo(name: "a", format: .f4, shape: [3])
    #expect(throws: SafetensorsError(.misalignedSlice, "")) { try ShardPlan(tensors: [odd]) }
  }

  @Test func refusesToIndexATensorGivenTwice() throws {
    let tensor = TensorInfo(name: "a", format: .u8, shape: [4])
    let plan = try ShardPlan(tensors: [tensor, tensor], maximumBytes: 4)
    #expect(throws: SafetensorsError(.duplicateTensor, "")) { try plan.index() }
  }
}
