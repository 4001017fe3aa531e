import MTConvTestSupport
import TensorFormats

/// The files of Fixtures/codecs.
enum CodecFixture {
  static let manifest: JSON = {
    let bytes = try! FileSystem.read(Fixture.path("codecs/manifest.json"))
    return try! JSON(parsing: bytes)
  }()

  static func bytes(_ name: String) throws -> [UInt8] { try FileSystem.read(Fixture.path("codecs/\(name)")) }

  static func elements<Element: FixedWidthInteger>(_ name: String, of type: Element.Type) throws -> [Element] {
    try bytes(name).withUnsafeBytes { raw in
      (0..<raw.count / MemoryLayout<Element>.size).map {
        raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.size, as: Element.self)
      }
    }
  }

  static func floats(_ name: String) throws -> [Float] {
    try elements(name, of: UInt32.self).map(Float.init(bitPattern:))
  }

  /// The numbers the scalar tables were made from: see `scalar_inputs` in codec_tables.py.
  static let scalars: [Float] = {
    var patterns: [UInt32] = []
    var generator = LinearCongruentialGenerator(state: 1)
    for _ in 0..<4096 { patterns.append(generator.next()) }
    let shapes: [(mask: UInt32, half: UInt32)] = [
      (0x7FE000, 0x1000), (0x7F0000, 0x8000), (0x700000, 0x80000), (0x600000, 0x100000),
    ]
    let neighbours: [UInt32] = [0, 1, .max, 0]
    for i in 0..<8192 {
      let state = generator.next()
      let shape = shapes[i % 4]
      let exponent: UInt32 = 100 + (state >> 24) % 46
      let sign: UInt32 = (state & 0x8000_0000) ^ ((state << 9) & 0x8000_0000)
      let pattern: UInt32 = sign | exponent << 23 | state & shape.mask | shape.half
      patterns.append(pattern &+ neighbours[i / 4 % 4])
    }
    let specials = manifest["scalars"]!["specials"]!.array!
    patterns += specials.map { UInt32($0.int!) }
    return patterns.map(Float.init(bitPattern:))
  }()
}

/// The generator of Numerical Recipes, which every language can write in a line.
struct LinearCongruentialGenerator {
  var state: UInt32

  mutating func next() -> UInt32 {
    state = state &* 1_664_525 &+ 1_013_904_223
    return state
  }

  /// A number from -1 to 1.
  mutating func nextFloat() -> Float { Float(Int32(bitPattern: next())) * 0x1p-31 }
}

extension Float {
  /// The bits, every NaN as the canonical quiet one with its sign.
  var canonicalBits: UInt32 { isNaN ? bitPattern & 0x8000_0000 | 0x7FC0_0000 : bitPattern }
}
