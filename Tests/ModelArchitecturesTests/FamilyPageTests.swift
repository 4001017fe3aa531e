import ModelArchitectures
import ModelCheckpoints
import MTConvTestSupport
import TensorFormats
import Testing

@Suite struct FamilyPageTests {
  static let folder = Fixture.path("../Docs/Families")

  @Test(arguments: Architecture.all.map(\.name)) func thePageIsCurrent(family: String) throws {
    let page = FamilyPage(model: try Pico(family).checkpoint())
    try Snapshot.check(page.text, at: "\(Self.folder)/\(family).md")
  }

  @Test func everyPageHasItsFamily() throws {
    #expect(try FileSystem.names(in: Self.folder) == Architecture.all.map { "\($0.name).md" }.sorted())
  }
}
