import MTConvTestSupport
import Foundation
import TensorFormats
import Testing

@Suite struct OutputDirectoryTests {
  private let directory = TemporaryFolder()
  private var path: String { directory.file("out") }

  @Test func appearsOnlyWhenComplete() throws {
    let output = try OutputDirectory(path: path)
    try output.write([1], to: "config.json")
    let weights = try output.file("model.safetensors", expectedSize: 3)
    try weights.write([1, 2, 3])
    #expect(!FileSystem.exists(path))
    try weights.commit()
    try output.commit()
    #expect(try directory.names() == ["out"])
    #expect(try FileSystem.names(in: path) == ["config.json", "model.safetensors"])
    output.cancel()
    #expect(FileSystem.exists(path))
  }

  @Test func aSlashAtTheEndMeansTheSame() throws {
    let output = try OutputDirectory(path: path + "//")
    #expect(output.path == path)
    try output.commit()
    #expect(try directory.names() == ["out"])
  }

  @Test func aCancelledOrDroppedOutputLeavesNothing() throws {
    let output = try OutputDirectory(path: path)
    try output.write([1], to: "a")
    let open = try output.file("b")
    output.cancel()
    #expect(try directory.names() == [])
    #expect(throws: FileError.self) { try open.commit() }
    do {
      let dropped = try OutputDirectory(path: path)
      try dropped.write([1], to: "a")
      try FileManager.default.createDirectory(
        atPath: dropped.partialPath + "/sub/sub", withIntermediateDirectories: true)
    }
    #expect(try directory.names() == [])
  }

  @Test func staleContentIsReplacedWhole() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try directory.write("old", to: "out/stale.safetensors")
    let error = #expect(throws: FileError.self) { _ = try OutputDirectory(path: path) }
    #expect(error?.code == .exists)
    let output = try OutputDirectory(path: path, overwrite: true)
    try output.write([1], to: "new.safetensors")
    #expect(try FileSystem.names(in: path) == ["stale.safetensors"])
    try output.commit()
    #expect(try FileSystem.names(in: path) == ["new.safetensors"])
    #expect(try directory.names() == ["out"])
  }

  @Test(arguments: [
    (["config.json", "old/config.json"], "it holds the directory 'old'"),
    (["notes.txt", "plan.json"], "it holds 'notes.txt' and no model"),
  ])
  func whatIsNoModelIsNotReplaced(_ names: [String], _ message: String) throws {
    func fill() throws {
      for name in names {
        let folder = FileSystem.directoryName(directory.file("out/" + name))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try directory.write("precious", to: "out/" + name)
      }
    }
    do {
      // It may come to be there while the output is made.
      let early = try OutputDirectory(path: path, overwrite: true)
      try fill()
      let error = #expect(throws: FileError.self) { try early.commit() }
      #expect(error?.description.contains(message) == true)
    }
    let error = #expect(throws: FileError.self) { _ = try OutputDirectory(path: path + "/", overwrite: true) }
    #expect(error?.code == .exists && error?.description.contains(message) == true)
    #expect(try directory.names() == ["out"])
    for name in names { #expect(try directory.text(of: "out/" + name) == "precious") }
  }

  @Test func anEmptyDirectoryIsReplaced() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let output = try OutputDirectory(path: path, overwrite: true)
    try output.write([1], to: "config.json")
    try output.commit()
    #expect(try FileSystem.names(in: path) == ["config.json"])
  }

  @Test func aFileOrALinkIsReplacedToo() throws {
    try directory.write("file", to: "out")
    let overFile = try OutputDirectory(path: path, overwrite: true)
    try overFile.commit()
    #expect(FileSystem.kind(of: path) == .directory)
    try FileManager.default.createDirectory(atPath: directory.file("target"), withIntermediateDirectories: true)
    try directory.write("kept", to: "target/kept")
    try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: "target")
    let overLink = try OutputDirectory(path: directory.file("link"), overwrite: true)
    try overLink.commit()
    #expect(try FileSystem.names(in: directory.file("link")) == [])
    #expect(try directory.text(of: "target/kept") == "kept")
    #expect(try directory.names() == ["link", "out", "target"])
  }

  @Test func whatAppearsMeanwhileIsKept() throws {
    do {
      let output = try OutputDirectory(path: path)
      try output.write([1], to: "mine")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try directory.write("theirs", to: "out/theirs")
      let error = #expect(throws: FileError.self) { try output.commit() }
      #expect(error?.code == .exists)
    }
    #expect(try FileSystem.names(in: path) == ["theirs"])
    #expect(try directory.names() == ["out"])
  }

  @Test func aMissingParentIsNamed() {
    let error = #expect(throws: FileError.self) { _ = try OutputDirectory(path: directory.file("no/out")) }
    #expect(error?.code == .notFound)
    #expect(error?.description == "cannot create '\(directory.file("no/out"))': no such file or directory")
  }
}
