import ModelArchitectures
import Testing

@Suite struct ArchitectureTests {
  @Test func familiesAreFoundByTheirNamesInBothFormats() {
    for family in Architecture.all {
      #expect(Architecture.named(family.name)?.name == family.name)
      #expect(Architecture.gguf(family.ggufName)?.name == family.name)
    }
    #expect(Architecture.named("bert") == nil)
  }
}
