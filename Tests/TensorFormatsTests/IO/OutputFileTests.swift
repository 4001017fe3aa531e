import MTConvTestSupport
import Foundation
import TensorFormats
import Testing

@Suite struct OutputFileTests {
  private let directory = TemporaryFolder()
  private var path: String { directory.file("out.bin") }

  @Test func appearsOnlyWhenComplete() throws {
    let output = try OutputFile(path: path)
    try output.write([1, 2, 3])
    #expect(!FileSystem.exists(path))
    let partial = try directory.names()
    #expect(partial.count == 1 && partial[0].hasPrefix("out.bin.partial-"))
    try output.commit()
    #expect(try directory.names() == ["out.bin"])
    #expect(try FileSystem.read(path) == [1, 2, 3])
    output.cancel()
    #expect(try FileSystem.read(path) == [1, 2, 3])
  }

  @Test func gathersSmallPiecesAndPassesLargeOnes() throws {
    var expected: [UInt8] = []
    let output = try OutputFile(path: path)
    for size in [0, 1, 7, 300_000, 5, 1 << 20, (1 << 20) + 1, 3, 900_000, 200_000, 2_500_000, 11] {
      let piece = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ size) }
      try output.write(piece)
      expected += piece
      #expect(output.byteCount == expected.count)
    }
    try output.writeZeros(0)
    try output.writeZeros(3)
    try output.writeZeros(2_100_000)
    expected += [UInt8](repeating: 0, count: 2_100_003)
    try output.commit(durable: false)
    #expect(try FileSystem.read(path) == expected)
  }

  @Test func whatIsReservedAndNotUsedIsCutOff() throws {
    let output = try OutputFile(path: path, expectedSize: 1_000_000)
    try output.write([9])
    try output.commit()
    #expect(try FileSystem.size(of: path) == 1)
  }

  @Test func aCancelledOutputLeavesNothing() throws {
    let output = try OutputFile(path: path, expectedSize: 4096)
    try output.write([1])
    output.cancel()
    output.cancel()
    #expect(try directory.names() == [])
  }

  @Test func aDroppedOutputLeavesNothing() throws {
    do {
      let output = try OutputFile(path: path)
      try output.write([UInt8](repeating: 1, count: 3_000_000))
    }
    #expect(try directory.names() == [])
  }

  @Test func anExistingFileNeedsPermissionToBeReplaced() throws {
    try directory.write("old", to: "out.bin")
    let error = #expect(throws: FileError.self) { _ = try OutputFile(path: path) }
    #expect(error?.code == .exists)
    #expect(error?.description == "'\(path)' already exists")
    let output = try OutputFile(path: path, overwrite: true)
    try output.write(Array("new".utf8))
    #expect(try directory.text(of: "out.bin") == "old")
    try output.commit()
    #expect(try directory.text(of: "out.bin") == "new")
    #expect(try directory.names() == ["out.bin"])
  }

  @Test func aFileThatAppearsMeanwhileIsKept() throws {
    do {
      let output = try OutputFile(path: path)
      try directory.write("theirs", to: "out.bin")
      let error = #expect(throws: FileError.self) { try output.commit() }
      #expect(error?.code == .exists)
    }
    #expect(try directory.text(of: "out.bin") == "theirs")
    #expect(try directory.names() == ["out.bin"])
  }

  @Test func aLinkIsReplacedItself() throws {
    try directory.write("target", to: "target")
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "target")
    #expect(throws: FileError.self) { _ = try OutputFile(path: path) }
    let output = try OutputFile(path: path, overwrite: true)
    try output.write(Array("new".utf8))
    try output.commit()
    #expect(try directory.text(of: "target") == "target")
    #expect(try directory.text(of: "out.bin") == "new")
  }

  @Test func refusesADirectoryAndAMissingOne() throws {
    let isDirectory = #expect(throws: FileError.self) { _ = try OutputFile(path: directory.path, overwrite: true) }
    #expect(isDirectory?.code == .notAFile)
    let missing = #expect(throws: FileError.self) { _ = try OutputFile(path: directory.file("no/out.bin")) }
    #expect(missing?.code == .notFound)
    #expect(missing?.description.contains("no/out.bin'") == true)
  }

  /// A process that may write 1 MiB a file meets its limit as it would meet a full disk.
  @Test func aSizeThatDoesNotFitIsFoundBeforeTheWork() throws {
    let error = #expect(throws: FileError.self) { _ = try OutputFile(path: path, expectedSize: 1 << 60) }
    #expect(error?.code == .noSpace)
    #expect(try directory.names() == [])
  }

  @Test func aFailedWriteIsAnErrorAndLeavesNothing() throws {
    guard FileSystem.kind(of: "/dev/full") == .other else { return }
    do {
      let output = try OutputFile(path: path)
      // The partial file becomes a device that is always full.
      let partial = directory.file(try directory.names()[0])
      let full = open("/dev/full", O_WRONLY)
      defer { close(full) }
      let descriptor = try #require(Self.descriptor(of: partial))
      #expect(dup2(full, descriptor) == descriptor)
      let error = #expect(throws: FileError.self) { try output.write([UInt8](repeating: 1, count: 2_000_000)) }
      #expect(error?.code == .noSpace)
    }
    #expect(try directory.names() == [])
  }

  private static func descriptor(of path: String) -> Int32? {
    (3..<1024).first { descriptor in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
      return target == path
    }
  }
}
