import MTConvTestSupport
import Testing

@testable import TensorFormats

/// Against the examples of FIPS 180-2, appendix B, and the hashes of hashlib for lengths around a block.
@Suite struct ContentHashTests {
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
  ])
  func hashesThePublishedExamples(text: String, expected: String) {
    #expect(ContentHash(of: Array(text.utf8)).description == expected)
  }

  @Test func hashesAMillionLetters() {
    var hasher = ContentHasher()
    let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
    for _ in 0..<1000 { hasher.update(piece) }
    let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(hasher.finalized().description == expected)
  }

  // The hash of all hashes of the prefixes of 0, 7, 14, … (mod 256), by hashlib.
  @Test func agreesWithHashlibOnEveryLengthUpTo260() {
    let bytes = (0..<260).map { UInt8(truncatingIfNeeded: 7 * $0) }
    let all = (0...260).flatMap { ContentHash(of: Array(bytes[..<$0])).bytes }
    #expect(ContentHash(of: all).description == "ae850ed7407f71b426e97298aafecb0c5a4137d5d39bc634091ec1bfd7b5a2cf")
  }

  @Test func piecesOfAnySizeGiveTheSameHash() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: 31 * $0) }
    for size in [1, 3, 55, 63, 64, 65, 127, 500] {
      var hasher = ContentHasher()
      for start in stride(from: 0, to: bytes.count, by: size) {
        hasher.update(Array(bytes[start..<min(start + size, bytes.count)]))
        _ = hasher.finalized()
      }
      #expect(hasher.finalized() == ContentHash(of: bytes), "pieces of \(size)")
    }
  }

  @Test func aFileHasTheHashOfItsBytes() throws {
    let folder = TemporaryFolder()
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
    let path = try folder.write(bytes, to: "a")
    #expect(try ContentHash(ofFile: path) == ContentHash(of: bytes))
  }

  @Test func standsAsSixtyFourDigitsInJSON() throws {
    let hash = ContentHash(of: [1, 2, 3])
    let text = try JSON(encoding: [hash]).serialized()
    #expect(text == "[\"039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81\"]")
    let read: [ContentHash] = try JSON(parsing: text).decoded()
    #expect(read == [hash])
  }

  @Test(arguments: ["", "abc", String(repeating: "0", count: 63), String(repeating: "g", count: 64)])
  func refusesWhatIsNoHash(text: String) {
    #expect(ContentHash(hexadecimal: text) == nil)
  }
}
