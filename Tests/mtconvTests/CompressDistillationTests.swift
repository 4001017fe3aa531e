import Foundation
import MTConvTestSupport
import TensorFormats
import Testing

/// `compress` with a distillation: what is cut from the bundled model learns from the whole, a few short steps.
@Suite struct CompressDistillationTests {
  private let folder = TemporaryFolder()

  private static let usual = ["--distill-tokens", "160", "--distill-learning-rate", "1e-3"]

  private func arguments(_ out: String, _ more: [String] = usual) -> [String] {
    [
      "compress", "models/kjv-1m", folder.file(out), "--drop-layers", "6", "--fp8", "--context", "32", "--chunks", "5",
      "--calibration", "models/kjv-1m/calibration.txt", "--heldout", "models/kjv-1m/heldout.txt", "--heldout-chunks",
      "1",
    ] + more
  }

  private func report(_ arguments: [String], status: Int32 = 0) throws -> JSON {
    let run = try ProgramRun(arguments + ["--json", "--quiet"])
    #expect(run.status == status, "\(run.errors)")
    return try JSON(parsing: run.output)
  }

  private func expectSameFiles(_ a: String, _ b: String, but: Set<String> = []) throws {
    let names = try FileSystem.names(in: folder.file(a))
    #expect(try FileSystem.names(in: folder.file(b)) == names)
    for name in names where !but.contains(name) {
      #expect(try folder.bytes(of: "\(a)/\(name)") == folder.bytes(of: "\(b)/\(name)"), "\(name)")
    }
  }

  @Test func everyStageIsShownAndWhatWasWorkedOutIsUsedAgain() throws {
    let work = folder.file("work")
    let first = try report(arguments("a", Self.usual + ["--work", work]))
    let stages = try #require(first["stages"]?.array)
    #expect(stages.map { $0["name"] } == ["parent", "pruned", "healed", "distilled", "FP8"])
    let divergences = stages.dropFirst().compactMap { $0["divergence"]?.double }
    #expect(divergences[0] > divergences[1] && divergences[1] > divergences[2], "\(divergences)")
    #expect(first["recipe"]?["overlay"]?["method"] == "healing and distillation")
    #expect(first["recipe"]?["overlay"]?["report"]?["distillation"]?["tokens"] == 160)
    #expect(first["recipe"]?["provenance"]?["texts"]?["training"]?["file"]?["name"] == "calibration.txt")
    #expect(first["verification"]?["correctness"]?["passes"] == true)
    #expect(try FileSystem.names(in: folder.file("work/distillation")) == ["log.jsonl"])
    let card = try folder.text(of: "a/README.md")
    #expect(card.contains("pruned, healed, distilled, FP8") && card.contains("Distilled from the parent on 160 tokens"))

    let again = try report(arguments("a", Self.usual + ["--work", work, "--force"]))
    #expect(again["steps"]?.array?.map { $0["isReused"] } == [true, true, true, true])
    #expect(again["stages"] == first["stages"])
    let replay = ["replay", folder.file("a"), "--parent", "models/kjv-1m", "--quiet"]
    let healed = try ProgramRun(
      replay + ["-o", folder.file("c"), "--heal", folder.file("work/distilled.safetensors")])
    #expect(healed.status == 0 && healed.output.contains("equal to it"), "\(healed.errors)")
    try expectSameFiles("a", "c")
    let trained = try ProgramRun(
      replay + ["-o", folder.file("d"), "--calibration", "models/kjv-1m/calibration.txt"])
    #expect(trained.status == 2 && trained.errors.contains("run the recipe's command again"), "\(trained.errors)")
  }

  @Test func trainingThatMakesItWorseIsNotUsed() throws {
    let run = try ProgramRun(
      arguments("a", ["--distill-tokens", "96", "--distill-learning-rate", "3", "--quiet"]))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("no better than before: the weights before are used"))
    let recipe = try JSON(parsing: folder.bytes(of: "a/mtconv.json"))
    #expect(recipe["overlay"]?["method"] == "healing")
    #expect(recipe["provenance"]?["texts"]?["training"] == nil)
  }

  @Test func trainingThatDivergesLeavesTheHealedWeights() throws {
    let run = try ProgramRun(
      arguments("a", ["--distill-tokens", "640", "--distill-learning-rate", "1e6", "--quiet"]))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("no better than before: the weights before are used"))
    #expect(run.output.contains("training diverged: 4 of "), "\(run.output)")
    #expect(try JSON(parsing: folder.bytes(of: "a/mtconv.json"))["overlay"]?["method"] == "healing")
  }

  /// Two runs of the same command, one of them stopped and taken up again, and what is left of them for `report`.
  @Test func aStoppedRunGoesOnBitByBitAndLeavesWhatReportShows() throws {
    let training = ["--distill-tokens", "256", "--distill-learning-rate", "1e-3"]
    _ = try report(arguments("whole", training))
    let process = ProgramRun.process(arguments("parts", training + ["--quiet"]))
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    let log = folder.file("parts.work/distillation/log.jsonl")
    while process.isRunning, ((try? FileSystem.read(log)) ?? []).count(where: { $0 == 0x0A }) < 3 {
      Thread.sleep(forTimeInterval: 0.002)
    }
    process.interrupt()
    process.waitUntilExit()
    #expect(ProgramRun.end(of: process).status == 130)
    #expect(!FileSystem.exists(folder.file("parts")))
    let rest = try report(arguments("parts", training))
    #expect(rest["steps"]?.array?.map { $0["isReused"] } == [true, true, true, false])
    try expectSameFiles("whole", "parts", but: ["mtconv.json"])

    let names = [
      "distillation", "distillation.json", "healing.json", "mtconv.json", "plan.json", "stages.json",
      "stats.safetensors", "verification.json",
    ]
    #expect(try FileSystem.names(in: folder.file("parts.work")) == names)
    let page = try ProgramRun("report", folder.file("parts.work"), "-o", folder.file("page.html"))
    #expect(page.status == 0 && page.output.contains("Distillation"), "\(page.errors)")
    #expect(try folder.text(of: "page.html").contains("Held-out KL from the teacher"))
    // Another run, which distils nothing, leaves nothing of the first.
    let second = try report(arguments("parts", ["--force"]))
    #expect(second["steps"]?.array?.map { $0["isReused"] } == [false, false, false])
    #expect(try FileSystem.names(in: folder.file("parts.work")) == names.filter { !$0.hasPrefix("distillation") })
  }

  @Test func aDryRunSaysHowLongItMayTake() throws {
    let run = try ProgramRun(arguments("a", ["--distill-tokens", "2k", "--dry-run", "--quiet"]))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("distillation: 2.0 K tokens in 63 steps"))
    #expect(try folder.names().isEmpty)
  }

  @Test func aTimeBecomesTokensThatTheRecipeNames() throws {
    let result = try report(arguments("a", ["--distill-minutes", "0.0001"]))
    #expect(result["distillation"]?["settings"]?["steps"] == 1)
    #expect(result["distillation"]?["tokens"] == 32)
  }

  @Test(arguments: [
    (["--distill-tokens", "1k", "--distill-minutes", "1"], "give --distill-tokens or --distill-minutes, not both"),
    (["--distill-minutes", "0"], "--distill-minutes is 0.0, expected more than 0"),
    (["--distill-batch", "2"], "says nothing without --distill-tokens"),
    (["--distill-tokens", "1k", "--distill-batch", "0"], "--distill-batch is 0, expected at least 1"),
    (["--distill-tokens", "1k"], "--distill-tokens needs text to train on"),
    (["--distill-tokens", "1k", "--distill-data", "a"], "--distill-tokens needs --heldout TEXT"),
    (["--distill-tokens", "1k", "--distill-data", "a", "--heldout", "a"], "TEXT that is not trained on"),
    (["--distill-tokens", "1k", "--distill-learning-rate", "0"], "--distill-learning-rate is 0.0"),
  ])
  func nonsenseIsRefusedBeforeAFileIsOpened(_ options: [String], _ message: String) throws {
    let run = try ProgramRun(["compress", "nowhere", folder.file("a"), "--plan", "nothing"] + options)
    #expect(run.status == 64 && run.errors.contains(message), "\(run.errors)")
  }

  @Test func aModelThatIsNotCutHasNothingToLearn() throws {
    let whole = ["--distill-tokens", "1k", "--calibration", "a", "--heldout", "b"]
    let run = try ProgramRun(["compress", "nowhere", folder.file("a"), "--fp8"] + whole)
    #expect(run.status == 64 && run.errors.contains("is its own teacher"), "\(run.errors)")
  }
}
