import Foundation
import TensorFormats
import Testing

@Suite struct JSONCodingTests {
  private static let value: JSON = [
    "b": [1, nil, true, "x"], "a": ["big": .number(JSONNumber(UInt64.max)), "half": 0.5], "none": [], "empty": [:],
  ]

  @Test func isItselfInItsOwnEncoding() throws {
    let spelled = try JSON(parsing: #"{"x":1e-05,"y":[1000000.0]}"#)
    #expect(try JSON(encoding: spelled) == spelled)
    #expect(try JSON(encoding: ["nested": spelled]) == ["nested": spelled])
  }

  /// Swift Testing encodes the arguments of tests with Foundation's encoder.
  @Test func canBeEncodedByOthers() throws {
    let data = try JSONEncoder().encode(Self.value)
    let again = try JSON(parsing: String(decoding: data, as: UTF8.self))
    #expect(again["b"] == Self.value["b"])
    #expect(again["a"]?["big"] == Self.value["a"]?["big"])
    #expect(again["a"]?["half"] == 0.5)
    #expect(again["none"] == [])
    #expect(again["empty"] == [:])
  }
}
