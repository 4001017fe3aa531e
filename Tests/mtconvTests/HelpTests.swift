import MTConvTestSupport
import Testing

@Suite struct HelpTests {
  static let commands = [
    "inspect", "describe", "convert", "logits", "perplexity", "calibrate", "plan", "prune", "compress", "quantize",
    "verify", "eval", "report", "replay", "heal", "finetune", "distill", "bench",
  ]

  @Test(arguments: commands) func everyCommandHasHelpWorthReading(_ command: String) throws {
    let run = try ProgramRun(command, "--help")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output.contains("mtconv \(command) "), "an example")
    try Snapshot.expect(run.output, "help-\(command).txt")
  }

  @Test func theProgramNamesItsCommandsAndExitCodes() throws {
    let run = try ProgramRun("--help")
    #expect(run.status == 0)
    for command in Self.commands { #expect(run.output.contains("  \(command) ")) }
    try Snapshot.expect(run.output, "help.txt")
  }

  @Test func noLineIsWiderThanATerminal() throws {
    for command in Self.commands {
      let lines = try ProgramRun(command, "--help").output.split(separator: "\n")
      for line in lines where line.count > 80 && !line.hasPrefix("USAGE: ") { Issue.record("\(command): \(line)") }
    }
  }

  @Test func tellsItsVersion() throws {
    let run = try ProgramRun("--version")
    #expect(run.status == 0 && run.output == "0.1.0\n")
  }
}
