import MTConvTestSupport
import Testing

@testable import TensorFormats

/// Against the examples of FIPS 180-2, appendix B, the hashes of hashlib for lengths around a block, and sha256sum.
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
    for method in SHA256Method.available {
      #expect(hash(Array(text.utf8), by: method).description == expected, "\(method)")
    }
  }

  private func hash(_ bytes: [UInt8], by method: SHA256Method) -> ContentHash {
    var hasher = ContentHasher(by: method)
    hasher.update(bytes)
    return hasher.finalized()
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

  /// The Swift version is the naive twin of the processor's instructions; the start of the bytes is not aligned to anything.
  @Test(arguments: SHA256Method.available) func methodsAgreeOnEveryLengthAndPlace(method: SHA256Method) {
    let bytes = (0..<1100).map { UInt8(truncatingIfNeeded: $0 &* $0 &+ 11 &* $0) }
    for count in Array(0...200) + [447, 448, 511, 512, 513, 1024] {
      for start in [0, 1, count % 17] {
        let part = Array(bytes[start..<start + count])
        var hasher = ContentHasher(by: method)
        bytes.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
        #expect(hasher.finalized() == hash(part, by: .portable), "\(count) bytes from \(start)")
      }
    }
  }

  @Test(arguments: SHA256Method.available) func everySplitGivesTheSameHash(method: SHA256Method) {
    let bytes = (0..<200).map { UInt8(truncatingIfNeeded: 3 &+ 5 &* $0) }
    let whole = hash(bytes, by: .portable)
    for split in 0...bytes.count {
      var hasher = ContentHasher(by: method)
      hasher.update(Array(bytes[..<split]))
      hasher.update(Array(bytes[split...]))
      #expect(hasher.finalized() == whole, "split at \(split)")
    }
  }

  @Test(arguments: SHA256Method.available) func twoAtOnceHaveTheHashesOfEach(method: SHA256Method) {
    let bytes = (0..<700).map { UInt8(truncatingIfNeeded: 7 &+ $0 &* $0) }
    for (first, second) in [(0, 0), (0, 64), (64, 64), (63, 65), (128, 300), (640, 64), (500, 501)] {
      var (a, b) = (ContentHasher(by: method), ContentHasher(by: method))
      for _ in 0..<3 {
        bytes.withUnsafeBytes { bytes in
          ContentHasher.update(
            &a, UnsafeRawBufferPointer(rebasing: bytes[1..<1 + first]), &b,
            UnsafeRawBufferPointer(rebasing: bytes[9..<9 + second]))
        }
      }
      let (x, y) = (Array(bytes[1..<1 + first]), Array(bytes[9..<9 + second]))
      #expect(a.finalized() == hash(x + x + x, by: .portable), "\(first) and \(second) bytes")
      #expect(b.finalized() == hash(y + y + y, by: .portable), "\(first) and \(second) bytes")
    }
  }

  @Test func twoFilesHaveTheHashesOfTheirBytes() throws {
    let folder = TemporaryFolder()
    let contents = [1000, 0, 5 << 20].map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0 / 8), count: $0) }
    let paths = try contents.enumerated().map { try folder.write($1, to: "\($0)") }
    for (a, b) in [(0, 1), (1, 0), (0, 2), (2, 0), (2, 2)] {
      let (first, second) = try ContentHash.ofFiles(paths[a], paths[b])
      #expect(first == ContentHash(of: contents[a]) && second == ContentHash(of: contents[b]))
    }
  }

  // `sha256sum Fixtures/models/kjv-1m/model.safetensors`
  @Test func aModelFileHasTheHashThatSha256sumPrints() throws {
    let hash = try ContentHash(ofFile: Fixture.path("models/kjv-1m/model.safetensors"))
    #expect(hash.description == "30b79145f1ad228910a1442a23914a278f6a81816b692fc0699583238d32f20c")
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
