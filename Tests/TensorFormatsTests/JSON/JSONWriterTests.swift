import MTConvTestSupport
import TensorFormats
import Testing

@Suite struct JSONWriterTests {
  /// Fixtures/json holds one document as Python's json module lays it out; each layout gives each other one.
  @Test(arguments: ["compact", "compact-ascii", "indented", "indented-ascii"])
  func writesWhatPythonWrites(source: String) throws {
    let value = try JSON(parsing: FileSystem.read(Fixture.path("json/\(source).json")))
    let layouts: [(String, JSONStyle, Bool)] = [
      ("compact", .compact, false), ("compact-ascii", .compact, true), ("indented", .indented, false),
      ("indented-ascii", .indented, true),
    ]
    for (name, style, isASCII) in layouts {
      let expected = try FileSystem.read(Fixture.path("json/\(name).json"))
      #expect(value.serializedBytes(style, escapesNonASCII: isASCII) == expected, "\(source) as \(name)")
    }
  }

  @Test func doublesAndFloatsAreShortest() {
    let values: JSON = [
      1e-05, 0.1, 100.0, 1e22, .double(-0.0), .number(JSONNumber(0.1 as Float)), .number(JSONNumber(UInt64.max)),
    ]
    #expect(values.serialized() == "[1e-05,0.1,100.0,1e+22,-0.0,0.1,18446744073709551615]")
  }

  @Test func literalsMakeValues() {
    let value: JSON = ["a": nil, "b": true, "c": [1, 2.5, "x"], "d": [:]]
    #expect(value.serialized() == #"{"a":null,"b":true,"c":[1,2.5,"x"],"d":{}}"#)
    #expect(value["a"]?.isNull == true)
    #expect(value["b"]?.bool == true)
    #expect(value["c"]?.array?.last?.string == "x")
    #expect(value["e"] == nil)
  }
}
