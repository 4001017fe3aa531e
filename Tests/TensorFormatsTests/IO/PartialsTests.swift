import MTConvTestSupport
import Foundation
import TensorFormats
import Testing

@Suite struct PartialsTests {
  /// In a process of its own: it removes the outputs of all.
  @Test func anInterruptedRunRemovesWhatItBegan() async {
    await #expect(processExitsWith: .success) {
      let directory = TemporaryFolder()
      let finished = try OutputFile(path: directory.file("finished"))
      try finished.commit(durable: false)
      let file = try OutputFile(path: directory.file("file"))
      try file.write([1])
      let folder = try OutputDirectory(path: directory.file("folder"))
      try folder.write([1], to: "part")
      guard try directory.names().count == 3 else { exit(1) }
      Partials.removeAll()
      guard try directory.names() == ["finished"] else { exit(2) }
      // What ends after that does no harm.
      file.cancel()
      folder.cancel()
      guard try directory.names() == ["finished"] else { exit(3) }
    }
  }
}
