import TensorFormats
import Testing

@Suite struct JSONObjectTests {
  @Test func keepsTheOrderOfItsMembers() {
    var object: JSONObject = ["z": 1, "a": 2]
    object["m"] = 3
    #expect(object.updateValue(4, forKey: "z") == 1)
    #expect(object.keys == ["z", "a", "m"])
    #expect(object.values == [4, 2, 3])
    #expect(object.removeValue(forKey: "a") == 2)
    object["m"] = nil
    #expect(object.map(\.key) == ["z"])
    #expect(object[0].value == 4)
  }

  @Test func sortsAndMaps() {
    var object: JSONObject = ["b": 1, "a": 2]
    object.sort { $0.key < $1.key }
    #expect(object.keys == ["a", "b"])
    #expect(object.mapValues { .array([$0]) } == ["a": [2], "b": [1]])
  }

  @Test func keysAreEqualByBytes() {
    #expect(UTF8Key("\u{E9}") != UTF8Key("e\u{301}"))
    #expect(UTF8Key("\u{212B}") != UTF8Key("\u{C5}"))
    #expect(Set(["a", "a", "\u{E9}", "e\u{301}"].map(UTF8Key.init)).count == 3)
  }
}
