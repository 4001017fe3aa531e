import GGUFFormat
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

@Suite struct GGUFFileTests {
  @Test(arguments: Manifest.valid)
  func readsWhatGGUFPyReads(_ expected: Manifest.Valid) throws {
    let file = try GGUFFile(path: expected.path)
    #expect(Int(file.version) == expected.json["version"]?.int)
    #expect(file.isBigEndian == expected.json["bigEndian"]?.bool)
    #expect(file.alignment == expected.json["alignment"]?.int)
    let metadata = file.metadata.map { JSON.array([.string($0.key)] + spelled($0.value)) }
    #expect(metadata == expected.json["metadata"]?.array)
    let tensors = file.tensors.map { entry in
      JSON.object([
        "name": .string(entry.name), "format": .string(entry.info.format.name),
        "shape": .array(entry.info.shape.map(JSON.int)), "start": .int(entry.range.lowerBound),
        "bytes": .int(entry.range.count),
      ])
    }
    // Members compare in order; q8_1 and q2_0 are described by hand in another one.
    #expect(tensors.map(sortedMembers) == expected.json["tensors"]?.array?.map(sortedMembers))
  }

  @Test(arguments: Manifest.invalid)
  func refusesHostileFiles(_ hostile: Manifest.Invalid) {
    let error = #expect(throws: GGUFError.self) { try GGUFFile(path: hostile.path) }
    #expect(error?.code == hostile.code, "\(error?.description ?? "")")
    #expect(error?.path == hostile.path)
    #expect(error?.message.contains("\n") == false)
  }

  @Test func hasAFixtureForEveryRule() {
    let elsewhere: Set<GGUFError.Code> = [.byteOrder, .tensorData]
    let covered = Set(Manifest.invalid.map(\.code)).union(Manifest.badSets.map(\.code)).union(elsewhere)
    #expect(Set(GGUFError.Code.allCases).subtracting(covered) == [])
  }

  @Test func namesTheSystemErrorOfAMissingFile() {
    #expect(throws: FileError(.notFound, "")) { try GGUFFile(path: Fixture.path("gguf/valid/none.gguf")) }
  }

  @Test func findsTensorsByNameAndGivesTheirBytes() throws {
    let file = try GGUFFile(path: Fixture.path("gguf/valid/model.gguf"))
    let entry = try #require(file["blk.0.t1.weight"])
    #expect(entry.info == TensorInfo(name: "blk.0.t1.weight", format: .f16, shape: [2, 16]))
    let first = try file.withBytes(of: entry) { bytes in
      #expect(bytes.count == 64)
      return bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
    }
    #expect(first == 0x4000)  // 2.0
    #expect(file["blk.0.t9.weight"] == nil)
  }

  @Test func givesNoTensorDataOfABigEndianFile() throws {
    let file = try GGUFFile(path: Fixture.path("gguf/valid/big-endian.gguf"))
    let entry = try #require(file.tensors.first)
    #expect(throws: GGUFError(.byteOrder, "")) { try file.withBytes(of: entry) { _ in } }
  }

  @Test func bigEndianMetadataEqualsLittleEndian() throws {
    let big = try GGUFFile(path: Fixture.path("gguf/valid/big-endian.gguf"))
    let little = try GGUFFile(path: Fixture.path("gguf/valid/model.gguf"))
    for (key, value) in little.metadata { #expect(big.metadata[key] == value) }
    let arrays = try GGUFFile(path: Fixture.path("gguf/valid/arrays.gguf")).metadata["test.strs"]
    #expect(arrays != nil)
    #expect(big.metadata["test.strs"] == arrays)
  }

  @Test func readsVersion2AsVersion3() throws {
    let old = try GGUFFile(path: Fixture.path("gguf/valid/version-2.gguf"))
    let new = try GGUFFile(path: Fixture.path("gguf/valid/model.gguf"))
    #expect(old.metadata == new.metadata)
    #expect(old.tensors == new.tensors)
  }

  @Test(arguments: [("trailing-bytes", 8), ("no-final-padding", 0), ("padding-without-tensors", 0), ("model", 0)])
  func countsTrailingBytes(name: String, count: Int) throws {
    #expect(try GGUFFile(path: Fixture.path("gguf/valid/\(name).gguf")).trailingByteCount == count)
  }
}

private func sortedMembers(_ value: JSON) -> [String: JSON] {
  Dictionary(uniqueKeysWithValues: (value.object ?? [:]).map { ($0.key, $0.value) })
}
