import MTConvTestSupport
import SafetensorsFormat
import TensorFormats
import Testing

/// Mutated headers give an error or a header whose ranges lie in the file; never a trap.
@Suite struct SafetensorsHeaderFuzzTests {
  @Test(arguments: ["written/mixed", "written/names", "valid/zero_size_in_the_middle", "valid/entry_as_array"])
  func survivesMutations(_ fixture: String) throws {
    let original = try FileSystem.read(Fixture.path("safetensors/\(fixture).safetensors"))
    var generator = SeededGenerator(seed: UInt64(original.count))
    var accepted = 0
    for _ in 0..<1500 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...3, using: &generator) { mutate(&bytes, &generator) }
      guard let header = try? parse(bytes) else { continue }
      accepted += 1
      #expect(tiles(header, fileSize: bytes.count))
    }
    #expect(accepted > 0)
  }

  @Test func survivesTruncationAnywhere() throws {
    let original = try FileSystem.read(Fixture.path("safetensors/written/mixed.safetensors"))
    for count in 0..<original.count {
      #expect(throws: SafetensorsError.self) { try parse(Array(original[..<count])) }
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
    guard !bytes.isEmpty else { return }
    let position = Int.random(in: bytes.indices, using: &generator)
    let structural = Array(#"{}[]",:\0123456789-.eE"#.utf8)
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 1: bytes[position] = UInt8.random(in: .min ... .max, using: &generator)
    case 2: bytes[position] = structural.randomElement(using: &generator)!
    case 3: bytes.insert(structural.randomElement(using: &generator)!, at: position)
    case 4: bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...4, using: &generator)))
    default:
      let end = min(bytes.count, position + Int.random(in: 1...60, using: &generator))
      bytes.insert(contentsOf: bytes[position..<end], at: position)
    }
    // Half of the time the length still fits, so that the change is seen by the parser and not only by the length check.
    if Bool.random(using: &generator), let close = bytes.lastIndex(of: UInt8(ascii: "}")), close >= 8 {
      withUnsafeBytes(of: UInt64(close - 7).littleEndian) { bytes.replaceSubrange(0..<8, with: $0) }
    }
  }
}
