import Testing

@Suite("bench") struct BenchTests {
  @Test(arguments: [["--chunks", "0"], ["--context", "1"], ["--seconds", "-1"], ["--seconds", "nan"]])
  func refusesWhatCannotBeMeasured(_ options: [String]) throws {
    #expect(try ProgramRun(["bench"] + options).status == 64)
  }

  @Test func looksForTheModelBeforeItMeasures() throws {
    let run = try ProgramRun("bench", "no-such-model")
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.errors.contains("no-such-model"))
  }
}
