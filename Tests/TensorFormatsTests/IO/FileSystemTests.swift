import MTConvTestSupport
import Foundation
import TensorFormats
import Testing

@Suite struct FileSystemTests {
  private let directory = TemporaryFolder()

  @Test(arguments: [
    ("a/b", "a", "b"), ("b", ".", "b"), ("/b", "/", "b"), ("a/b/", "a", "b"), ("a//b", "a", "b"), ("/", "/", "/"),
    ("//", "/", "/"),
    ("/a/b.gguf", "/a", "b.gguf"), ("a/", ".", "a"), ("./a", ".", "a"), ("../a", "..", "a"), ("", ".", ""),
    (".", ".", "."),
    ("a/\u{301}b", "a", "\u{301}b"), ("//a", "/", "a"),
  ])
  func takesPathsApart(path: String, parent: String, base: String) {
    #expect(FileSystem.directoryName(path) == parent)
    #expect(Array(FileSystem.baseName(path).utf8) == Array(base.utf8))
  }

  @Test(arguments: [("a", "b", "a/b"), ("a/", "b", "a/b"), ("/", "b", "/b"), ("", "b", "b"), (".", "b", "./b")])
  func joinsPaths(directory: String, name: String, path: String) {
    #expect(FileSystem.join(directory, name) == path)
  }

  @Test func knowsWhatAPathNames() throws {
    try directory.write("x", to: "file")
    try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: "file")
    try FileManager.default.createSymbolicLink(atPath: directory.file("nowhere"), withDestinationPath: "missing")
    #expect(FileSystem.kind(of: directory.file("file")) == .file)
    #expect(FileSystem.kind(of: directory.file("link")) == .file)
    #expect(FileSystem.kind(of: directory.path) == .directory)
    #expect(FileSystem.kind(of: "/dev/null") == .other)
    #expect(FileSystem.kind(of: directory.file("nowhere")) == nil)
    #expect(!FileSystem.exists(directory.file("missing")))
    #expect(try FileSystem.names(in: directory.path) == ["file", "link", "nowhere"])
    #expect(try FileSystem.size(of: directory.file("link")) == 1)
  }

  @Test func readsWholeFilesUpToALimit() throws {
    try directory.write("hello", to: "file")
    #expect(try FileSystem.read(directory.file("file")) == Array("hello".utf8))
    #expect(try FileSystem.read(directory.file("file"), limit: 5).count == 5)
    let error = #expect(throws: FileError.self) { try FileSystem.read(directory.file("file"), limit: 4) }
    #expect(error?.description == "'\(directory.file("file"))' has 5 bytes, expected at most 4")
  }

  @Test func errorsNameThePathAndTheReason() {
    let path = directory.file("missing")
    for error in [
      #expect(throws: FileError.self, performing: { try FileSystem.size(of: path) }),
      #expect(throws: FileError.self, performing: { _ = try FileSystem.names(in: path) }),
      #expect(throws: FileError.self, performing: { _ = try FileSystem.read(path) }),
    ] {
      #expect(error?.code == .notFound)
      #expect(error?.description.hasSuffix("'\(path)': no such file or directory") == true)
    }
  }

  @Test func asksTheNearestDirectoryForFreeSpace() throws {
    let here = try #require(FileSystem.availableBytes(at: directory.path))
    let below = try #require(FileSystem.availableBytes(at: directory.file("not/yet/there")))
    #expect(here > 0)
    #expect(abs(here - below) < 1 << 30)
    #expect(FileSystem.availableBytes(at: "not-yet-there") != nil)
  }
}
