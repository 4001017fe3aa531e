import MTConvTestSupport
import TensorFormats
import Testing

/// The Swift code in the documentation is compiled: every block stands, line by line, in a source file of this package.
@Suite struct SnippetTests {
  /// Pages that quote the package itself; the others have a file of their own in `Snippets`.
  static let quoted = ["Docs/AddingAFamily.md": "Sources/ModelArchitectures/Families/Qwen.swift"]

  static let pages: [String] = {
    let root = Fixture.path("..")
    let docs = (try? FileSystem.names(in: "\(root)/Docs")) ?? []
    let targets = (try? FileSystem.names(in: "\(root)/Sources")) ?? []
    let candidates = ["README.md"] + docs.map { "Docs/\($0)" } + targets.map { "Sources/\($0)/README.md" }
    return candidates.filter { $0.hasSuffix(".md") && FileSystem.exists("\(root)/\($0)") }.sorted()
  }()

  @Test func findsThePages() { #expect(Self.pages.count >= 10) }

  @Test(arguments: pages) func codeIsCompiled(page: String) throws {
    let blocks = Self.blocks(try Self.lines(page))
    guard !blocks.isEmpty else { return }
    let source = Self.quoted[page] ?? "Tests/DocumentationTests/Snippets/\(Self.name(of: page)).swift"
    let compiled = try Self.lines(source).map(Self.trimmed)
    for block in blocks {
      var position = 0
      for line in block.map(Self.trimmed) where !line.isEmpty && position <= compiled.count {
        let place = compiled[position...].firstIndex(of: line)
        #expect(place != nil, "\(source) lacks, or has elsewhere: \(line)")
        position = place.map { $0 + 1 } ?? position
      }
    }
  }

  /// `Sources/X/README.md` is X, `Docs/X.md` is X, `README.md` is Readme.
  private static func name(of page: String) -> String {
    let parts = page.split(separator: "/").map(String.init)
    return parts.count == 3 ? parts[1] : parts.count == 2 ? String(parts[1].dropLast(3)) : "Readme"
  }

  /// The fenced blocks marked `swift`, without those that leave something out.
  private static func blocks(_ lines: [String]) -> [[String]] {
    var blocks: [[String]] = []
    var isInside = false
    for line in lines {
      if isInside, line == "```" {
        isInside = false
      } else if line == "```swift" {
        isInside = true
        blocks.append([])
      } else if isInside {
        blocks[blocks.count - 1].append(line)
      }
    }
    return blocks.filter { !$0.joined().contains("…") }
  }

  private static func lines(_ page: String) throws -> [String] {
    let text = try String(decoding: FileSystem.read(Fixture.path("../\(page)")), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private static func trimmed(_ line: String) -> String { String(line.drop { $0 == " " }) }
}
