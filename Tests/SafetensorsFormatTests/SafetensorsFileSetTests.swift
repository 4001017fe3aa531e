import MTConvTestSupport
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@Suite struct SafetensorsFileSetTests {
  @Test(arguments: ["safetensors/sharded", "safetensors/sharded/model.safetensors.index.json"])
  func readsShards(_ path: String) throws {
    let set = try SafetensorsFileSet(path: Fixture.path(path))
    #expect(set.files.count == 3)
    #expect(set.count == 6)
    #expect(set.warnings.isEmpty)
    let index = try #require(set.index)
    for (name, fileName) in index.fileNames {
      let member = try set.member(name)
      #expect(FileSystem.baseName(member.file.file.path) == fileName)
      #expect(member.entry.name == name)
    }
    // The generator's data: (37 i + 11 + seed) mod 251, seed 9.
    let expected = (0..<48).map { UInt8((37 * $0 + 20) % 251) }
    #expect(try set.member("lm_head.weight").withBytes { Array($0) } == expected)
    #expect(try set.member("lm_head.weight").withBytes(in: 4..<9) { Array($0) } == Array(expected[4..<9]))
    #expect(throws: SafetensorsError(.tensorNotFound, "")) { try set.member("x") }
  }

  @Test func readsASingleFile() throws {
    let set = try SafetensorsFileSet(path: Fixture.path("safetensors/written/mixed.safetensors"))
    #expect(set.index == nil)
    #expect(set.entries.count == 6)
    #expect(set["bias"]?.entry.info.shape == [5])
  }

  @Test func prefersOneFileToAnIndex() throws {
    let directory = TemporaryFolder()
    #expect(throws: SafetensorsError(.file(.notFound), "")) { try SafetensorsFileSet(path: directory.path) }
    try directory.write(Array("not even JSON".utf8), to: ShardIndex.fileName)
    #expect(throws: SafetensorsError(.invalidIndex, "")) { try SafetensorsFileSet(path: directory.path) }
    try directory.writeTensors([("a", 1, 1)], to: "model.safetensors")
    #expect(try SafetensorsFileSet(path: directory.path).count == 1)
  }

  // models--x--y/{blobs/HASH, snapshots/COMMIT/NAME -> ../../blobs/HASH}, as huggingface_hub lays its cache out.
  @Test func followsTheLinksOfTheHuggingFaceCache() throws {
    let directory = TemporaryFolder()
    for name in ["blobs", "snapshots/c0ffee"] { try directory.makeDirectory(name) }
    for (number, name) in try FileSystem.names(in: Fixture.path("safetensors/sharded")).enumerated() {
      try directory.write(FileSystem.read(Fixture.path("safetensors/sharded/\(name)")), to: "blobs/\(number)")
      try directory.link("snapshots/c0ffee/\(name)", to: "../../blobs/\(number)")
    }
    try directory.link("latest", to: "snapshots/c0ffee")
    for path in ["snapshots/c0ffee", "latest", "latest/model.safetensors.index.json"] {
      #expect(try SafetensorsFileSet(path: directory.file(path)).count == 6)
    }
    let shard = directory.file("latest/model-00001-of-00003.safetensors")
    #expect(try SafetensorsFile(path: shard).tensors.count > 0)
  }

  @Test func reportsADanglingLink() throws {
    let directory = TemporaryFolder()
    try directory.link("model.safetensors", to: "../blobs/gone")
    #expect(throws: SafetensorsError(.file(.notFound), "")) { try SafetensorsFileSet(path: directory.path) }
  }

  // MARK: Faults

  private struct Fault {
    var first: [(name: String, count: Int, fill: UInt8)] = [("a", 1, 1)]
    var second: [(name: String, count: Int, fill: UInt8)] = [("b", 2, 2)]
    var map = #""a":"x.safetensors","b":"y.safetensors""#
    var size = 12

    func open() throws -> SafetensorsFileSet {
      let directory = TemporaryFolder()
      try directory.writeTensors(first, to: "x.safetensors")
      try directory.writeTensors(second, to: "y.safetensors")
      let index = #"{"metadata":{"total_size":\#(size)},"weight_map":{\#(map)}}"#
      try directory.write(Array(index.utf8), to: ShardIndex.fileName)
      return try SafetensorsFileSet(path: directory.path)
    }
  }

  @Test func opensASetWithoutFault() throws {
    #expect(try Fault().open().warnings.isEmpty)
  }

  @Test func refusesATensorInTwoFiles() {
    #expect(throws: SafetensorsError(.duplicateTensor, "")) {
      try Fault(second: [("b", 2, 2), ("a", 1, 1)]).open()
    }
  }

  @Test func refusesATensorThatIsNotWhereTheIndexSays() {
    #expect(throws: SafetensorsError(.tensorNotInShard, "")) {
      try Fault(map: #""a":"y.safetensors","b":"x.safetensors""#).open()
    }
    #expect(throws: SafetensorsError(.tensorNotInShard, "")) {
      try Fault(map: #""a":"x.safetensors","b":"y.safetensors","c":"x.safetensors""#).open()
    }
  }

  @Test func refusesAMissingFile() {
    #expect(throws: SafetensorsError(.file(.notFound), "")) {
      try Fault(map: #""a":"x.safetensors","b":"z.safetensors""#).open()
    }
  }

  @Test func warnsOfUnlistedTensorsAndAWrongTotal() throws {
    let set = try Fault(map: #""a":"x.safetensors""#, size: 4).open()
    #expect(set.warnings.isEmpty && set.files.count == 1)
    let unlisted = try Fault(second: [("b", 2, 2), ("c", 1, 1)]).open()
    #expect(unlisted.warnings.map(\.code) == [.unlistedTensor, .wrongTotalSize])
    #expect(unlisted["c"] != nil)
  }
}
