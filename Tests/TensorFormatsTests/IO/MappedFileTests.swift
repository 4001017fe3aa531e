import MTConvTestSupport
import Foundation
import TensorFormats
import Testing

@Suite struct MappedFileTests {
  private let directory = TemporaryFolder()

  @Test func givesTheBytesOfTheFile() throws {
    try directory.write("0123456789", to: "file")
    let file = try MappedFile(path: directory.file("file"))
    #expect(file.byteCount == 10)
    #expect(file.withBytes { Array($0) } == Array("0123456789".utf8))
    #expect(file.withBytes(in: 2..<5) { Array($0) } == Array("234".utf8))
    #expect(file.withBytes(in: 10..<10) { $0.count } == 0)
  }

  @Test func outlivesTheNameOfTheFile() throws {
    try directory.write("still here", to: "file")
    let file = try MappedFile(path: directory.file("file"))
    try FileManager.default.removeItem(atPath: directory.file("file"))
    #expect(file.withBytes { String(decoding: $0, as: UTF8.self) } == "still here")
  }

  @Test func followsLinks() throws {
    try directory.write("blob", to: "blob")
    try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: "blob")
    #expect(try MappedFile(path: directory.file("link")).byteCount == 4)
  }

  @Test func anEmptyFileHasNoBytes() throws {
    try directory.write("", to: "empty")
    let file = try MappedFile(path: directory.file("empty"))
    #expect(file.byteCount == 0)
    #expect(file.withBytes { $0.count } == 0)
    file.willNeed(0..<0)
    file.release(0..<100)
  }

  @Test func refusesWhatIsNotAFile() throws {
    #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
    for (path, code) in [
      (directory.file("missing"), FileError.Code.notFound), (directory.path, .notAFile), ("/dev/null", .notAFile),
      (directory.file("pipe"), .notAFile),
    ] {
      let error = #expect(throws: FileError.self) { _ = try MappedFile(path: path) }
      #expect(error?.code == code, "\(path)")
    }
  }

  /// Advice about pages never changes what is read, wherever its range ends, and never reaches beyond the file.
  @Test func releasedPagesAreReadAgain() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try Data(bytes).write(to: URL(fileURLWithPath: directory.file("file")))
    let file = try MappedFile(path: directory.file("file"))
    let neighbour = try MappedFile(path: directory.file("file"))
    for range in [
      0..<0, 0..<1, 1..<99_999, 0..<100_000, 4096..<8192, 5000..<6000, 90_000..<1_000_000, 200_000..<300_000,
    ] {
      file.willNeed(range)
      file.release(range)
      #expect(file.withBytes { $0.elementsEqual(bytes) })
    }
    #expect(neighbour.withBytes { $0.elementsEqual(bytes) })
  }
}
