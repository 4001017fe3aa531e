import MTConvTestSupport
import OrderedCollections
import SafetensorsFormat
import TensorFormats
import Testing

@Suite struct ShardIndexTests {
  @Test(arguments: ["sharded/model.safetensors.index.json", "index_of_odd_names.json"])
  func writesTheBytesOfPython(_ fixture: String) throws {
    let path = Fixture.path("safetensors/\(fixture)")
    let index = try ShardIndex(path: path)
    #expect(try index.serializedBytes() == FileSystem.read(path))
    let size = try #require(index.totalSize)
    let parameters = try #require(index.totalParameters)
    let rebuilt = try ShardIndex(fileNames: index.fileNames, totalSize: size, totalParameters: parameters)
    #expect(rebuilt == index)
  }

  @Test func keepsUnknownMetadata() throws {
    let index = try parse(#"{"metadata":{"x":[1.50],"total_size":3.0},"weight_map":{}}"#)
    #expect(index.totalSize == nil)
    #expect(String(decoding: index.serializedBytes(), as: UTF8.self).contains("1.50"))
    #expect(try parse(#"{"weight_map":{}}"#).metadata.isEmpty)
    #expect(try parse(#"{"metadata":null,"weight_map":{}}"#).metadata.isEmpty)
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":{},"metadata":1}"#,
    #"{"weight_map":{}} x"#,
  ])
  func refusesWhatIsNotAnIndex(_ text: String) {
    #expect(throws: SafetensorsError(.invalidIndex, "")) { try parse(text) }
  }

  @Test func refusesATensorListedTwice() {
    #expect(throws: SafetensorsError(.duplicateKey, "")) {
      try parse(#"{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}"#)
    }
  }

  @Test(arguments: [
    "", ".", "..", "../x.safetensors", "/etc/x.safetensors", "a/x.safetensors", #"..\\x.safetensors"#,
    #"a\u0000.safetensors"#,
    "pytorch_model.bin", ".safetensors", "x.safetensors/", "x.safetensors\\n",
  ])
  func refusesFileNamesThatLeadElsewhere(_ name: String) {
    #expect(throws: SafetensorsError(.invalidShardName, "")) { try parse(#"{"weight_map":{"a":"\#(name)"}}"#) }
  }

  @Test func namesShardsAsTransformersDoes() {
    #expect(ShardIndex.shardName(1, of: 5) == "model-00001-of-00005.safetensors")
    #expect(ShardIndex.shardName(123456, of: 123456, stem: "x") == "x-123456-of-123456.safetensors")
  }

  private func parse(_ text: String) throws(SafetensorsError) -> ShardIndex {
    try ShardIndex(parsing: Array(text.utf8))
  }
}
