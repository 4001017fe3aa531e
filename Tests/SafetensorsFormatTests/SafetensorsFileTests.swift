import MTConvTestSupport
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@Suite struct SafetensorsFileTests {
  @Test(arguments: Manifest.valid)
  func readsWhatTheReferenceReads(_ expected: Manifest.Valid) throws {
    let file = try SafetensorsFile(path: expected.path)
    #expect(file.tensors.count == expected.tensors.count)
    for entry in file.tensors {
      let tensor = try #require(expected.tensors[entry.name])
      #expect(entry.info.format.name == tensor.format)
      #expect(entry.info.shape == tensor.shape)
      #expect(file.withBytes(of: entry) { Array($0) } == tensor.bytes)
      #expect(file[entry.name] == entry)
    }
    let metadata = Dictionary(uniqueKeysWithValues: file.metadata.elements.map { $0 })
    #expect(metadata == expected.metadata)
    #expect(file.warnings.map { String(describing: $0.code) }.sorted() == expected.warnings.sorted())
    #expect(tiles(file.header, fileSize: file.file.byteCount))
  }

  @Test(arguments: Manifest.invalid)
  func refusesWithTheCodeOfTheRule(_ expected: Manifest.Invalid) throws {
    let error = try #require(throws: SafetensorsError.self) { try SafetensorsFile(path: expected.path) }
    #expect(String(describing: error.code) == expected.code, "\(error)")
    #expect(!error.message.contains("\n"))
  }

  @Test func coversEveryRuleOfTheReader() {
    let codes = Set(Manifest.invalid.map(\.code))
    let rules: [SafetensorsError.Code] = [
      .headerTooSmall, .headerTooLarge, .invalidHeaderLength, .invalidHeaderUTF8, .invalidHeaderJSON,
      .headerNotAnObject,
      .duplicateTensor, .duplicateKey, .invalidMetadata, .missingField, .invalidField, .unknownElementFormat,
      .invalidOffset, .validationOverflow, .misalignedSlice, .tensorInvalidInfo, .metadataIncompleteBuffer,
    ]
    #expect(codes == Set(rules.map { String(describing: $0) }))
  }

  @Test func knowsEveryFormatOfTheReference() {
    let names = Manifest.valid.compactMap { $0.name.hasPrefix("dtype_") ? String($0.name.dropFirst(6)) : nil }
    #expect(ElementFormat.safetensorsFormats.map(\.name) == names)
  }

  @Test func keepsHeaderOrderOfMetadataAndDataOrderOfTensors() throws {
    let header = try parse(
      safetensors(
        #"{"__metadata__":{"z":"1","a":"2"},"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"#
          + #""y":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, data: [7, 8]))
    #expect(Array(header.metadata.keys) == ["z", "a"])
    #expect(header.tensors.map(\.name) == ["y", "x"])
    #expect(header["x"]?.range == header.dataOffset + 1..<header.dataOffset + 2)
  }

  @Test func namesATensorThatIsNotThere() throws {
    let file = try SafetensorsFile(path: Fixture.path("safetensors/valid/scalar.safetensors"))
    #expect(file["b"] == nil)
    #expect(throws: SafetensorsError(.tensorNotFound, "")) { try file.entry("b") }
    #expect(try file.entry("a").info.shape == [])
  }

  @Test func reportsFilesThatCannotBeRead() {
    #expect(throws: SafetensorsError(.file(.notFound), "")) { try SafetensorsFile(path: Fixture.path("no such file")) }
    #expect(throws: SafetensorsError(.file(.notAFile), "")) { try SafetensorsFile(path: Fixture.path("safetensors")) }
  }

  @Test func countsWarningsOfAKindInsteadOfRepeatingThem() throws {
    let entries = (0..<50).map { #""t\#($0)":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}"# }
    let header = try parse(safetensors("{" + entries.joined(separator: ",") + "}"))
    #expect(header.warnings.map(\.code) == [.unknownField])
    #expect(header.warnings.first?.count == 50)
    #expect(header.warnings.first?.description == "tensor 't0': unknown field (and 49 more)")
  }

  @Test func keepsHostileNamesOutOfMessages() throws {
    let name = "\u{1B}[31m\n" + String(repeating: "x", count: 1000)
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsWriter(tensors: [TensorInfo(name: name, format: .q8_0, shape: [32])])
    }
    let message = try #require(error?.message)
    #expect(message.utf8.allSatisfy { $0 >= 0x20 })
    #expect(message.count < 250)
  }

  @Test func readsLargeHeadersInAnyOrder() throws {
    let count = 3000
    var generator = SeededGenerator(seed: 1)
    let order = Array(0..<count).shuffled(using: &generator)
    let entries = order.map { #""t\#($0)":{"dtype":"U16","shape":[1],"data_offsets":[\#(2 * $0),\#(2 * $0 + 2)]}"# }
    let bytes = safetensors("{" + entries.joined(separator: ",") + "}", data: [UInt8](repeating: 0, count: 2 * count))
    let header = try parse(bytes)
    #expect(header.tensors.map(\.name) == (0..<count).map { "t\($0)" })
    #expect(order.allSatisfy { header["t\($0)"]?.range.lowerBound == header.dataOffset + 2 * $0 })
  }

  // MARK: Slices

  @Test func readsARangeOfATensor() throws {
    let file = try SafetensorsFile(path: Fixture.path("safetensors/written/mixed.safetensors"))
    let entry = try file.entry("weight")  // BF16 [4, 3]
    let whole = file.withBytes(of: entry) { Array($0) }
    #expect(whole.count == 24)
    #expect(file.withBytes(of: entry, in: 5..<11) { Array($0) } == Array(whole[5..<11]))
    let rows = try entry.byteRange(ofRows: 1..<3)
    #expect(rows == 6..<18)
    #expect(file.withBytes(of: entry, in: rows) { Array($0) } == Array(whole[6..<18]))
    #expect(file.withBytes(of: entry, in: 24..<24) { $0.count } == 0)
  }

  @Test func refusesRowsThatAreNotThere() throws {
    let file = try SafetensorsFile(path: Fixture.path("safetensors/written/mixed.safetensors"))
    let weight = try file.entry("weight")
    #expect(throws: SafetensorsError(.sliceOutOfRange, "")) { try weight.byteRange(ofRows: 2..<5) }
    #expect(throws: SafetensorsError(.sliceOutOfRange, "")) { try weight.byteRange(ofRows: -1..<1) }
    #expect(try file.entry("scalar").byteRange(ofRows: 0..<1) == 0..<4)
    #expect(try file.entry("empty").byteRange(ofRows: 0..<0) == 0..<0)
  }

  @Test func refusesRowsOfPackedFormatsThatSplitAByte() throws {
    let header = try parse(
      safetensors(#"{"a":{"dtype":"F4","shape":[4,3],"data_offsets":[0,6]}}"#, data: [UInt8](repeating: 0, count: 6)))
    #expect(try header.tensors[0].byteRange(ofRows: 2..<4) == 3..<6)
    #expect(throws: SafetensorsError(.misalignedSlice, "")) { try header.tensors[0].byteRange(ofRows: 1..<4) }
  }

  @Test func survivesItsPathBeingReplaced() throws {
    let directory = TemporaryFolder()
    let path = try directory.writeTensors([("a", 2, 1)], to: "x.safetensors")
    let file = try SafetensorsFile(path: path)
    try directory.write([0], to: "x.safetensors")
    #expect(file.withBytes(of: file.tensors[0]) { Array($0) } == [UInt8](repeating: 1, count: 8))
    file.release(file.tensors[0])
    #expect(file.withBytes(of: file.tensors[0]) { Array($0) } == [UInt8](repeating: 1, count: 8))
  }
}

/// Whether the tensors cover the data exactly, in order: what a reader that has accepted a file may rely on.
func tiles(_ header: SafetensorsHeader, fileSize: Int) -> Bool {
  var end = header.dataOffset
  for entry in header.tensors {
    guard entry.range.lowerBound == end, entry.range.count == entry.info.byteCount else { return false }
    end = entry.range.upperBound
  }
  return end == fileSize
}
