import GGUFFormat
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

@Suite struct GGUFFileSetTests {
  @Test(arguments: ["three/m-00001-of-00003", "three/m-00003-of-00003", "small-first/m-00001-of-00003"])
  func joinsAllFilesFromAnyOfThem(name: String) throws {
    let set = try GGUFFileSet(path: Fixture.path("gguf/sets/\(name).gguf"))
    let single = try GGUFFile(path: Fixture.path("gguf/valid/model.gguf"))
    #expect(set.files.count == 3)
    #expect(set.metadata == single.metadata)
    #expect(set.tensors.map(\.info) == single.tensors.map(\.info))
    for entry in single.tensors {
      let part = try #require(set[entry.name])
      let expected = try single.withBytes(of: entry) { Array($0) }
      #expect(try set.withBytes(of: part) { Array($0) } == expected)
    }
    #expect(set["none"] == nil)
  }

  @Test func aSingleFileIsASetOfOne() throws {
    let set = try GGUFFileSet(path: Fixture.path("gguf/valid/model.gguf"))
    #expect(set.files.count == 1)
    #expect(set.tensors.count == 7)
  }

  @Test(arguments: Manifest.badSets)
  func refusesFilesThatDoNotBelongTogether(_ hostile: Manifest.Invalid) {
    let error = #expect(throws: GGUFError.self) { try GGUFFileSet(path: hostile.path) }
    #expect(error?.code == hostile.code, "\(error?.description ?? "")")
    #expect(error?.path != nil)
  }
}
