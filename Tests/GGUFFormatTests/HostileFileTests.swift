import Foundation
import GGUFFormat
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

/// Whatever the bytes are, opening a file ends in a `GGUFFile` or a `GGUFError`, without a trap and without much memory.
@Suite struct HostileFileTests {
  private static let seeds = [
    "scalars", "arrays", "model", "dtypes", "shapes", "zero-sizes", "big-endian", "alignment-64",
  ]

  @Test(arguments: seeds)
  func survivesMutatedFiles(seed: String) throws {
    let original = try FileSystem.read(Fixture.path("gguf/valid/\(seed).gguf"))
    var random = SplitMix64(state: seed.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    let folder = TemporaryFolder()
    var accepted = 0
    for _ in 0..<400 {
      let output = try OutputFile(path: folder.file("mutated.gguf"), overwrite: true)
      try output.write(mutated(original, &random))
      try output.commit(durable: false)
      do {
        try exercise(GGUFFile(path: output.path), folder)
        accepted += 1
      } catch is GGUFError {}
    }
    #expect(accepted < 400, "no mutation was noticed")
  }

  /// Uses everything that an accepted file offers.
  private func exercise(_ file: GGUFFile, _ folder: TemporaryFolder) throws {
    var size = file.trailingByteCount
    for value in file.metadata.values {
      size += value.description.utf8.count + (value.array?.prefix(.max).count ?? 0)
      size += (value.strings?.count ?? 0) + (value.ints?.count ?? 0) + (value.doubles?.count ?? 0)
    }
    for entry in file.tensors where !file.isBigEndian {
      size += try file.withBytes(of: entry) { $0.reduce(0) { $0 &+ Int($1) } }
    }
    // What the reader accepts, the writer accepts. (A mutated alignment could ask for gigabytes of padding.)
    if file.alignment <= 4096 {
      let writer = try GGUFWriter(metadata: file.metadata, tensors: file.tensors.map(\.info))
      #expect(writer.layout.map(\.range.count) == file.tensors.map(\.range.count))
    }
    #expect(size >= 0)
  }

  private func mutated(_ original: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = original
    // Most of the rules live in the header, so most of the mutations do.
    let limit = random.next() % 4 == 0 ? bytes.count : min(bytes.count, 512)
    for _ in 0..<1 + Int(random.next() % 3) {
      let position = Int(random.next() % UInt64(limit))
      switch random.next() % 4 {
      case 0: bytes[position] ^= 1 << UInt8(random.next() % 8)
      case 1: bytes[position] = UInt8(truncatingIfNeeded: random.next())
      case 2:
        let extremes: [UInt64] = [0, 1, .max, 1 << 63, 1 << 62, 1 << 60, 1 << 32, 1 << 30, .max - 31, 1 << 61 + 1]
        let word = extremes[Int(random.next() % UInt64(extremes.count))]
        withUnsafeBytes(of: word.littleEndian) { raw in
          for (index, byte) in raw.enumerated() where position + index < bytes.count { bytes[position + index] = byte }
        }
      default: bytes.removeLast(min(Int(random.next() % 16), bytes.count - limit + limit / 2))
      }
      if bytes.count <= limit { break }
    }
    return bytes
  }

  #if os(Linux)
    /// The declared sizes of the hostile files reach 2^64; a process with 64 MB to spare must get through them all.
    @Test func allocatesLittleForHostileFiles() async {
      await #expect(processExitsWith: .success) {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).prefix { $0 != " " }
        let limit = (rlim_t(pages) ?? 0) * rlim_t(getpagesize()) + 64 << 20
        var limits = rlimit(rlim_cur: limit, rlim_max: limit)
        guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limits) == 0 else { exit(2) }
        for hostile in Manifest.invalid where (try? GGUFFile(path: hostile.path)) != nil { exit(3) }
      }
    }
  #endif
}

/// A small seeded generator: the same numbers everywhere.
private struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
