import MTConvTestSupport
import Testing

@Suite struct CommandLineTests {
  @Test func theProgramIsBuiltBesideTheTests() {
    #expect(BuiltProgram.path("mtconv").hasSuffix("/mtconv"))
  }
}
