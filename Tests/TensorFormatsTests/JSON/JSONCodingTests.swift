import Foundation
import TensorFormats
import Testing

@Suite struct JSONCodingTests {
  struct Plan: Codable, Equatable {
    enum Kind: String, Codable { case depth, width }

    struct Axis: Codable, Equatable {
      var name: String
      var kept: [Int]
    }

    var zeta = 1e-05
    var kind = Kind.width
    var axes = [Axis(name: "hidden", kept: [0, 2]), Axis(name: "", kept: [])]
    var note: String?
    var extra: JSON = ["b": [nil, 1.50], "a": "x"]
    var counts: [String: UInt64] = ["z": 1, "a": .max, "m": 3, "B": 4, "\u{E9}": 5]
    var scale: Float = 0.1
    var flags: [Bool?] = [true, nil]
    var format = ElementFormat.bf16
  }

  @Test func valuesKeepTheirOrderAndComeBack() throws {
    let json = try JSON(encoding: Plan())
    #expect(
      json.serialized()
        == #"{"zeta":1e-05,"kind":"width","axes":[{"name":"hidden","kept":[0,2]},{"name":"","kept":[]}],"#
        + #""extra":{"b":[null,1.5],"a":"x"},"counts":{"B":4,"a":18446744073709551615,"m":3,"z":1,"é":5},"#
        + #""scale":0.1,"flags":[true,null],"format":"BF16"}"#)
    #expect(try JSON(parsing: json.serialized()).decoded(as: Plan.self) == Plan())
  }

  @Test func leavesAreValuesOfTheirOwn() throws {
    #expect(try JSON(encoding: "x") == "x")
    #expect(try JSON(encoding: [1, 2]) == [1, 2])
    #expect(try JSON(encoding: ["k": UInt.max]).serialized() == #"{"k":18446744073709551615}"#)
    #expect(try JSON(encoding: Double.infinity) == .null)
    #expect(try JSON(encoding: [Float.nan]) == [nil])
    #expect(try JSON(parsing: "[1,2]").decoded(as: [Int8].self) == [1, 2])
    #expect(try JSON(parsing: "7").decoded(as: Int.self) == 7)
  }

  @Test(arguments: [
    (#"{"name":1,"kept":[]}"#, "name", "expected a string, found 1"),
    (#"{"name":"x"}"#, "", "member 'kept' is missing"),
    (#"{"name":"x","kept":[1.0]}"#, "kept", "expected an integer, found 1.0"),
    (#"{"name":"x","kept":[9223372036854775808]}"#, "kept", "expected an integer, found 9223372036854775808"),
    (#"{"name":"x","kept":{}}"#, "kept", "expected an array, found {}"), ("[]", "", "expected an object, found []"),
  ])
  func errorsNameTheMember(text: String, path: String, message: String) throws {
    let json = try JSON(parsing: text)
    let error = #expect(throws: DecodingError.self) { try json.decoded(as: Plan.Axis.self) }
    let context: DecodingError.Context? =
      switch error {
      case .typeMismatch(_, let context), .keyNotFound(_, let context): context
      default: nil
      }
    #expect(context?.debugDescription == message)
    #expect(context?.codingPath.map(\.stringValue).joined(separator: ".") == path)
  }

  @Test func otherEncodersTakeJSONToo() throws {
    let json: JSON = ["a": [1, 2.5, nil, true, "x", .number(JSONNumber(UInt64.max))], "b": [:]]
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(json), as: UTF8.self)
    #expect(text == #"{"a":[1,2.5,null,true,"x",18446744073709551615],"b":{}}"#)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(JSON.self, from: Data("{}".utf8)) }
  }

  @Test func errorsOfLongValuesAreShort() throws {
    let error = #expect(throws: DecodingError.self) {
      try JSON.array((0..<10_000).map { .int($0) }).decoded(as: String.self)
    }
    #expect(error.map { "\($0)".utf8.count < 400 } == true)
  }
}
