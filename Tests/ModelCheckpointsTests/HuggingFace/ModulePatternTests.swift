import ModelCheckpoints
import Testing

@Suite struct ModulePatternTests {
  private static let name = "model.layers.10.mlp.up_proj"

  /// What re.match, fnmatch and == of Python say.
  @Test(arguments: [
    ("lm_head", false), ("model.layers.10.mlp.up_proj", true), ("model.layers.10.mlp.up", false),
    ("re:model.layers.10", true), ("re:layers", false), ("re:.*up_proj$", true), ("re:.*up$", false),
    ("re:.*layers\\.[0-9]\\.", false), ("re:.*layers\\.(9|1\\d)\\..*(gate|up)_proj", true), ("re:", true),
    ("*", true), ("*.mlp.*", true), ("model.layers.1*", true), ("*up_proj", true), ("*up", false),
    ("model.*.up_proj", true), ("model.*.gate*", false), ("*proj*proj", false), ("layers*", false),
  ])
  func matchesAsTheToolsThatWriteItDo(_ pattern: String, _ matches: Bool) {
    #expect(ModulePattern(pattern).matches(Self.name) == matches)
  }

  @Test func knowsNamesAndFaults() {
    #expect(ModulePattern("lm_head").isName)
    #expect(!ModulePattern("re:lm_head").isName && !ModulePattern("lm*").isName)
    #expect(ModulePattern("re:(").fault == "'re:(' is no regular expression")
    #expect(ModulePattern("re:.*gate$").fault == nil && ModulePattern("(").fault == nil)
    #expect(!ModulePattern("re:(").matches("("))
  }
}
