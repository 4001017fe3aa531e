import MTConvTestSupport
import TensorFormats
import Testing

/// `compress` from calibration to verification, stopped, taken up again, and made again.
@Suite struct CompressionTests {
  private let folder = TemporaryFolder()

  private func arguments(_ out: String, _ more: String...) -> [String] {
    [
      "compress", "models/kjv-1m", folder.file(out), "--ffn", "192", "--drop-layers", "6", "--fp8", "--context", "32",
      "--chunks", "5", "--calibration", "models/kjv-1m/calibration.txt", "--heldout", "models/kjv-1m/heldout.txt",
      "--heldout-chunks", "1", "--json", "--quiet",
    ] + more
  }

  private func report(_ arguments: [String], status: Int32 = 0) throws -> JSON {
    let run = try ProgramRun(arguments)
    #expect(run.status == status, "\(run.errors)")
    return try JSON(parsing: run.output)
  }

  private func expectSameFiles(_ a: String, _ b: String) throws {
    let names = try FileSystem.names(in: folder.file(a))
    #expect(try FileSystem.names(in: folder.file(b)) == names)
    for name in names {
      #expect(try folder.bytes(of: "\(a)/\(name)") == folder.bytes(of: "\(b)/\(name)"), "\(name)")
    }
  }

  @Test func aSecondRunTakesWhatTheFirstWorkedOut() throws {
    let work = folder.file("work")
    let first = try report(arguments("a", "--work", work))
    #expect(first["steps"]?.array?.map { $0["isReused"] } == [false, false, false])
    #expect(first["verification"]?["correctness"]?["checks"]?["overlaid"]?.int ?? 0 > 0)
    #expect(first["healing"]?["steps"]?.array?.isEmpty == false)
    let names = [
      "healed.safetensors", "healing.json", "mtconv.json", "plan.json", "stages.json", "stats.safetensors",
      "verification.json",
    ]
    let kept = try FileSystem.names(in: work).filter { !$0.hasSuffix(".key") }
    #expect(kept == names)

    let again = try report(arguments("a", "--work", work, "--force"))
    #expect(again["steps"]?.array?.map { $0["isReused"] } == [true, true, true])
    #expect(again["recipe"]?["overlay"] == first["recipe"]?["overlay"])
    #expect(again["verification"] == first["verification"])
    // Other settings, other plan: what depends on it is made anew, the statistics are not.
    let other = try report(arguments("b", "--work", work, "--hidden", "64"))
    #expect(other["steps"]?.array?.map { $0["isReused"] } == [true, false, false])
  }

  /// What no layer drops is still cut where it is asked for.
  @Test func droppingNoLayerLeavesOtherSizesAlone() throws {
    let report = try report([
      "compress", "models/kjv-1m", folder.file("a"), "--drop-layers", "0", "--ffn", "192", "--context", "32",
      "--chunks", "2",
      "--no-heal", "--calibration", "models/kjv-1m/calibration.txt", "--json", "--quiet",
    ])
    #expect(report["recipe"]?["pruning"]?["keptIndices"]?.object?.isEmpty == false)
    let config = try JSON(parsing: folder.bytes(of: "a/config.json"))
    #expect(config["intermediate_size"] == 192 && config["num_hidden_layers"] == 12)
  }

  /// The same goal in another format is another plan; the same axes in another order are not.
  @Test func aPlanIsTakenAgainOnlyForTheSameFormat() throws {
    func run(_ out: String, _ more: String...) throws -> [JSON?]? {
      try report(
        [
          "compress", "models/kjv-1m", folder.file(out), "--bytes", "1500000", "--context", "32", "--chunks", "2",
          "--no-heal",
          "--calibration", "models/kjv-1m/calibration.txt", "--depth-by", "influence", "--json", "--quiet", "--dry-run",
          "--work", folder.file("work"),
        ] + more)["steps"]?.array?.map { $0["isReused"] }
    }
    #expect(try run("a", "--axes", "layers,ffn,hidden") == [false, false])
    #expect(try run("a", "--axes", "hidden,ffn,layers") == [true, true])
    #expect(try run("a", "--axes", "hidden,ffn,layers", "--fp8") == [true, false])
  }

  /// A text is another one if documents are taken from another field, and a replay takes the same.
  @Test func theFieldOfJSONLinesIsPartOfTheText() throws {
    let text = try String(decoding: FileSystem.read(Fixture.path("models/kjv-1m/calibration.txt")), as: UTF8.self)
    let lines = text.split(separator: "\n").prefix(400)
    let half = lines.count / 2
    let documents = zip(lines[..<half], lines[half...]).map { a, b in
      JSON.object(["text": .string(String(a)), "body": .string(String(b))]).serialized()
    }
    try folder.write(documents.joined(separator: "\n"), to: "text.jsonl")
    func run(_ out: String, _ more: String...) throws -> JSON {
      try report(
        [
          "compress", "models/kjv-1m", folder.file(out), "--ffn", "192", "--context", "32", "--chunks", "5",
          "--calibration",
          folder.file("text.jsonl"), "--work", folder.file("work"), "--json", "--quiet",
        ] + more)
    }
    _ = try run("a")
    let other = try run("b", "--field", "body")
    #expect(other["steps"]?.array?.map { $0["isReused"] } == [false, false, false])
    let replay = try ProgramRun([
      "replay", folder.file("b"), "--parent", "models/kjv-1m", "--calibration", folder.file("text.jsonl"), "-o",
      folder.file("c"),
    ])
    #expect(replay.status == 0, "\(replay.errors)")
    try expectSameFiles("b", "c")
  }

  /// A dry run replaces nothing, and a report tells of the model that was made last.
  @Test func whatReportShowsIsOfTheModelThatWasMade() throws {
    let common = [
      "--context", "32", "--chunks", "5", "--calibration", "models/kjv-1m/calibration.txt", "--json", "--quiet",
    ]
    let start = ["compress", "models/kjv-1m", folder.file("a")]
    _ = try report(start + ["--drop-layers", "4", "--depth-by", "influence"] + common)
    let names = try FileSystem.names(in: folder.file("a.work"))
    let plan = try folder.bytes(of: "a.work/plan.json")
    _ = try report(
      start + ["--drop-layers", "2", "--depth-by", "influence", "--stats", folder.file("s.st"), "--dry-run"] + common)
    #expect(try folder.names() == ["a", "a.work"])
    #expect(try folder.bytes(of: "a.work/plan.json") == plan)
    func page() throws -> String {
      _ = try ProgramRun(["report", folder.file("a.work"), "-o", folder.file("page.html"), "--force"])
      return try String(decoding: folder.bytes(of: "page.html"), as: UTF8.self)
    }
    #expect(try page().contains("4 layers dropped"))
    try folder.write("{\"eval_loss\": 1}", to: "a.work/eval_results.json")
    _ = try report(start + ["--fp8", "--heldout", "models/kjv-1m/heldout.txt", "--force"] + common)
    #expect(try !page().contains("layers dropped"))
    #expect(names.contains("healing.json"))
  }

  @Test func aRunThatWasStoppedBeforeItWasVerifiedGoesOn() throws {
    let work = folder.file("work")
    let first = try report(arguments("a", "--work", work))
    try FileSystem.names(in: folder.file("a")).forEach { name in
      try folder.makeDirectory("copy")
      try folder.write(folder.bytes(of: "a/\(name)"), to: "copy/\(name)")
    }
    // As it was when the weights were written and nothing was verified.
    var manifest = try #require(try JSON(parsing: folder.bytes(of: "a/mtconv.json")).object)
    manifest["verification"] = nil
    try folder.write(JSON.object(manifest).serializedBytes(.indented) + [0x0A], to: "a/mtconv.json")
    #expect(try ProgramRun(arguments("a", "--work", work)).status == 2, "an output of nobody's is refused")
    try folder.write("output", to: "work/output.key")
    let again = try report(arguments("a", "--work", work))
    #expect(again["steps"]?.array?.map { $0["isReused"] } == [true, true, true, true])
    #expect(again["verification"] == first["verification"])
    try expectSameFiles("a", "copy")
  }

  @Test func replayMakesTheSameBytes() throws {
    _ = try report(arguments("a", "--work", folder.file("work")))
    #expect(!FileSystem.exists(folder.file("a.work")))
    let parent = ["--parent", "models/kjv-1m"]
    let healed = ["--heal", folder.file("work/healed.safetensors")]
    let first = try ProgramRun(["replay", folder.file("a"), "-o", folder.file("b")] + parent + healed)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("equal to it"))
    try expectSameFiles("a", "b")
    // Healed again from the text, from the manifest alone.
    let text = ["--calibration", "models/kjv-1m/calibration.txt"]
    let second = try ProgramRun(["replay", folder.file("a/mtconv.json"), "-o", folder.file("c")] + parent + text)
    #expect(second.status == 0, "\(second.errors)")
    try expectSameFiles("a", "c")

    let otherText = ["--calibration", "models/kjv-1m/heldout.txt"]
    let refusedText = try ProgramRun(["replay", folder.file("a"), "-o", folder.file("d")] + parent + otherText)
    #expect(refusedText.status == 2 && refusedText.errors.contains("has SHA-256"))
    let nothing = try ProgramRun(["replay", folder.file("a"), "-o", folder.file("d")] + parent)
    #expect(nothing.status == 2 && nothing.errors.contains("give their file"))
  }

  @Test func aConvertedModelIsMadeAgainFromItsRecipe() throws {
    let out = folder.file("half")
    let convert = try ProgramRun("convert", "models/llama-pico", out, "--dtype", "f16", "--no-sync")
    #expect(convert.status == 0, "\(convert.errors)")
    let recipe = try JSON(parsing: folder.bytes(of: "half/mtconv.json"))
    #expect(recipe["parent"]?["contentHash"]?.string?.count == 64)
    #expect(recipe["provenance"]?["parentFiles"]?.array?.map { $0["name"] } == ["config.json", "model.safetensors"])
    let again = try ProgramRun("replay", out, "--parent", "models/llama-pico", "-o", folder.file("again"))
    #expect(again.status == 0 && again.output.contains("equal to it"), "\(again.errors)")
    try expectSameFiles("half", "again")
    let other = try ProgramRun("replay", out, "--parent", "models/kjv-1m", "-o", folder.file("other"))
    #expect(other.status == 2)
    let bare = folder.file("bare")
    _ = try ProgramRun("convert", "models/llama-pico", bare, "--dtype", "f16", "--no-sync", "--no-hashes")
    #expect(try JSON(parsing: folder.bytes(of: "bare/mtconv.json"))["parent"]?["contentHash"] == nil)
  }

  @Test func replayRefusesAnotherParentOfTheSameSizes() throws {
    let plan = #"{"parentLayerCount": 3, "keptLayers": [0, 2], "criterion": "explicit"}"#
    try folder.write(plan, to: "plan.json")
    let out = folder.file("small.gguf")
    let prune = try ProgramRun("prune", "models/llama-pico", "--plan", folder.file("plan.json"), "-o", out)
    #expect(prune.status == 0, "\(prune.errors)")
    let again = try ProgramRun("replay", out, "--parent", "models/llama-pico", "-o", folder.file("again.gguf"))
    #expect(again.status == 0, "\(again.errors)")
    #expect(try folder.bytes(of: "small.gguf") == folder.bytes(of: "again.gguf"))
    // The same configuration with one bit of one weight changed.
    try folder.makeDirectory("other")
    for name in ["config.json", "model.safetensors"] {
      try folder.write(FileSystem.read(Fixture.path("models/llama-pico/\(name)")), to: "other/\(name)")
    }
    try folder.flip(byte: try folder.bytes(of: "other/model.safetensors").count - 3, of: "other/model.safetensors")
    let refused = try ProgramRun("replay", out, "--parent", folder.file("other"), "-o", folder.file("no.gguf"))
    #expect(refused.status == 2 && refused.errors.contains("has the same sizes and content hash"), "\(refused.errors)")
    let wrongKind = try ProgramRun("replay", out, "--parent", "models/llama-pico", "-o", folder.file("directory"))
    #expect(wrongKind.status == 2)
  }
}
