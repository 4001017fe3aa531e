/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
public struct ContentHasher: Sendable {
  private var state: [UInt32] = [
    0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
  ]
  /// What does not fill a block yet.
  private var rest: [UInt8] = []
  private var byteCount: UInt64 = 0
  private let method: SHA256Method

  public init() { self.init(by: .current) }

  /// - Parameter method: one that this processor runs.
  package init(by method: SHA256Method) { self.method = method }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    byteCount += UInt64(bytes.count)
    var input = bytes[...]
    if !rest.isEmpty {
      let missing = input.prefix(Self.blockSize - rest.count)
      rest.append(contentsOf: missing)
      input = input[missing.endIndex...]
      guard rest.count == Self.blockSize else { return }
      let block = rest
      rest.removeAll(keepingCapacity: true)
      block.withUnsafeBytes { compress($0) }
    }
    let whole = input.count / Self.blockSize * Self.blockSize
    if whole > 0 { compress(UnsafeRawBufferPointer(rebasing: input.prefix(whole))) }
    rest.append(contentsOf: input.dropFirst(whole))
  }

  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// The UTF-8 of a text, without a length or an end.
  public mutating func update(_ text: String) { update(Array(text.utf8)) }

  /// The hash of everything so far; the hasher can go on.
  public func finalized() -> ContentHash {
    var last = self
    // A one bit, zeros up to the last eight bytes of a block, and the length in bits.
    let zeros = (Self.blockSize + 55 - rest.count) % Self.blockSize
    let length = (byteCount &* 8).bigEndian
    last.update([0x80] + [UInt8](repeating: 0, count: zeros) + withUnsafeBytes(of: length) { Array($0) })
    return ContentHash(bytes: last.state.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } })
  }

  /// Takes bytes into two hashers at once: with instructions for it, almost as fast as into one.
  public static func update(
    _ a: inout ContentHasher, _ x: UnsafeRawBufferPointer, _ b: inout ContentHasher, _ y: UnsafeRawBufferPointer
  ) {
    let count = a.rest.isEmpty && b.rest.isEmpty ? min(x.count, y.count) / blockSize * blockSize : 0
    if count > 0 {
      let method = a.method
      a.state.withUnsafeMutableBufferPointer { first in
        b.state.withUnsafeMutableBufferPointer { second in
          method.compress(
            UnsafeRawBufferPointer(rebasing: x.prefix(count)), into: first.baseAddress!,
            UnsafeRawBufferPointer(rebasing: y.prefix(count)), into: second.baseAddress!)
        }
      }
      a.byteCount += UInt64(count)
      b.byteCount += UInt64(count)
    }
    a.update(UnsafeRawBufferPointer(rebasing: x.dropFirst(count)))
    b.update(UnsafeRawBufferPointer(rebasing: y.dropFirst(count)))
  }

  private mutating func compress(_ blocks: UnsafeRawBufferPointer) {
    state.withUnsafeMutableBufferPointer { method.compress(blocks, into: $0.baseAddress!) }
  }

  private static let blockSize = 64
}
