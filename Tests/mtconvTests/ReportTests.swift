import Foundation
import MTConvTestSupport
import SafetensorsFormat
import TensorFormats
import Testing

@Suite struct ReportTests {
  private let folder: TemporaryFolder

  init() { folder = TemporaryFolder() }

  /// The keys of an object, in order, those of the objects in it after a dot.
  private func keys(_ json: JSON, below prefix: String = "") -> [String] {
    guard let object = json.object else { return [] }
    return object.flatMap { [prefix + $0.key] + keys($0.value, below: prefix + $0.key + ".") }
  }

  private func report(_ arguments: String..., status: Int32 = 0) throws -> JSON {
    let run = try ProgramRun(arguments + ["--json", "--quiet"])
    #expect(run.status == status, "\(run.errors)")
    #expect(run.errors.isEmpty)
    return try JSON(parsing: run.output)
  }

  @Test func inspectSaysItInJSON() throws {
    let json = try report("inspect", "models/llama-pico", "--tensors", "--metadata")
    #expect(
      json.object?.keys == [
        "path", "format", "family", "supported", "parameters", "bytes", "tensorCount", "elementFormats", "metadata",
        "tensors", "warnings",
      ])
    #expect(json["family"] == "llama" && json["supported"] == true)
    #expect(json["tensors"]?.array?.count == json["tensorCount"]?.int)
  }

  @Test func describeSaysItInJSON() throws {
    let json = try report("describe", "models/gemma2-pico")
    #expect(json["family"] == "gemma2" && json["layerCount"] == 4)
    #expect(json["weights"]?.array?.isEmpty == false && json["program"]?.array?.isEmpty == false)
  }

  @Test func convertSaysItInJSON() throws {
    let json = try report("convert", "models/llama-pico", folder.file("model.gguf"), "--dtype", "q8_0", "--no-sync")
    #expect(
      keys(json) == [
        "input", "output", "family", "parameters", "inputFormat", "outputFormat", "inputBytes", "outputBytes",
      ])
    #expect(json["outputFormat"] == "Q8_0")
    #expect(try folder.names() == ["model.gguf"])
  }

  @Test func quantizeSaysItInJSON() throws {
    let json = try report(
      "quantize", "models/llama-pico", "-o", folder.file("fp8"), "--scheme", "fp8-block", "--dialect", "fp8",
      "--ignore", "re:.*down_proj$", "--no-sync", "--no-hashes")
    #expect(json["scheme"] == "fp8-block" && json["dialect"] == "fp8")
    #expect(json["quantizedTensors"] == 18 && json["noise"]?["tensors"]?.array?.count == 18)
    #expect(json["ignored"]?.array?.contains("model.layers.1.mlp.down_proj") == true)
    #expect(json["noise"]?["meanSignalToNoise"]?.double ?? 0 > 30)
    #expect(json["noise"]?["worstRows"]?.array?.count == 8)
    #expect(try folder.names() == ["fp8"])
    let dry = try report(
      "quantize", "models/llama-pico", "-o", folder.file("none"), "--scheme", "fp8-dynamic", "--dry-run")
    #expect(dry["noise"] == nil && dry["outputBytes"] != nil)
    #expect(try folder.names() == ["fp8"])
  }

  /// Statistics of a real run become scales of activations, cache and weights, and what follows runs with them.
  @Test func calibratedModelsAreQuantizedAndRunAsAnEngineDoes() throws {
    let text = "models/kjv-1m/heldout.txt"
    let run = ["--text", text, "--context", "32", "--chunks", "2"]
    _ = try report(
      "calibrate", "models/kjv-1m", "--text", "models/kjv-1m/calibration.txt", "--context", "32", "--chunks", "2", "-o",
      folder.file("stats.safetensors"))
    let made = try report(
      "quantize", "models/kjv-1m", "-o", folder.file("fp8"), "--scheme", "fp8-static", "--kv-cache", "--scales",
      "output",
      "--stats", folder.file("stats.safetensors"), "--no-sync")
    #expect(made["noise"]?["meanOutputSignalToNoise"]?.double ?? 0 > 30)
    let names = try tensorNames(folder.file("fp8/model.safetensors"))
    #expect(names.count { $0.hasSuffix("self_attn.k_scale") } == 12 && names.count { $0.hasSuffix("v_scale") } == 12)
    #expect(names.count { $0.hasSuffix("input_scale") } == 84)
    func perplexity(_ options: String...) throws -> JSON {
      let run = try ProgramRun(["perplexity", folder.file("fp8")] + run + options + ["--json", "--quiet"])
      #expect(run.status == 0, "\(run.errors)")
      return try JSON(parsing: run.output)
    }
    let (engine, weights, plain) = (
      try perplexity(), try perplexity("--weights-only"), try perplexity("--kv-cache", "plain")
    )
    let cache = try perplexity("--weights-only", "--kv-cache", "fp8")
    #expect(engine["emulation"] == ["activations": "calibrated, per tensor", "keyValueCache": "calibrated scales"])
    #expect(weights["emulation"] == [:])
    #expect(plain["emulation"] == ["activations": "calibrated, per tensor"])
    #expect(cache["emulation"] == ["keyValueCache": "calibrated scales"])
    #expect(Set([engine, weights, plain, cache].compactMap { $0["perplexity"]?.double }).count == 4)
    let verified = try ProgramRun(["verify", "models/kjv-1m", folder.file("fp8")] + run + ["--json", "--quiet"])
    #expect(verified.status == 0, "\(verified.errors)")
    let verification = try JSON(parsing: verified.output)
    #expect(
      verification["correctness"]?["normalizedError"]?.double == 0 && verification["emulation"] == engine["emulation"])
    // The head multiplies all tokens in one and those that count in the other: OpenBLAS may round otherwise at the ends.
    let expected = engine["perplexity"]?.double ?? 0
    let found = verification["quality"]?["perplexity"]?["value"]?.double ?? 1
    #expect(abs(found / expected - 1) < 1e-6)
    let said = try ProgramRun(["perplexity", folder.file("fp8"), "--quiet"] + run)
    #expect(
      said.output.contains("activations as E4M3, calibrated, per tensor; key-value cache as E4M3, calibrated scales"))
  }

  private func tensorNames(_ path: String) throws -> [String] {
    try SafetensorsFile(path: path).tensors.map(\.name)
  }

  @Test func logitsSaysItInJSON() throws {
    let json = try report("logits", "models/llama-pico", "--tokens", "1,2, 3", "--top", "2")
    #expect(json.object?.keys == ["model", "tokens", "next"])
    #expect(json["tokens"] == [1, 2, 3])
    #expect(json["next"]?.array?.count == 2)
    #expect(keys(json["next"]?.array?.first ?? .null) == ["id", "logit", "probability"])
  }

  @Test func perplexitySaysItInJSON() throws {
    let text = "models/kjv-1m/heldout.txt"
    let json = try report("perplexity", "models/kjv-1m", "--text", text, "--context", "64", "--chunks", "1")
    #expect(
      keys(json) == [
        "model", "perplexity", "standardError", "meanLoss", "chunks", "context", "scoredTokens", "tokensPerSecond",
      ])
    #expect(json["scoredTokens"] == 31)
  }

  @Test func calibrateAndPlanSayItInJSON() throws {
    let text = "models/kjv-1m/calibration.txt"
    let json = try report(
      "calibrate", "models/kjv-1m", "--text", text, "--context", "32", "--chunks", "1", "-o",
      folder.file("s.safetensors"))
    #expect(json.object?.keys == ["settings", "output", "blockInfluence", "bestRuns"])
    #expect(json["blockInfluence"]?.array?.count == 12)
    #expect(try folder.names() == ["s.safetensors"])
    let plan = try report(
      "plan", "models/kjv-1m", "--stats", folder.file("s.safetensors"), "--drop-layers", "2", "--ffn", "128", "-o",
      folder.file("plan.json"))
    #expect(plan["plan"]?["keptLayers"]?.array?.count == 10)
    // What plan writes is what compress takes.
    let compressed = try report(
      "compress", "models/kjv-1m", folder.file("out"), "--plan", folder.file("plan.json"), "--dry-run")
    #expect(compressed["recipe"]?["pruning"] == plan["plan"])
  }

  @Test func planFindsSizesForAGoal() throws {
    let statistics = folder.file("s.safetensors")
    _ = try report(
      "calibrate", "models/kjv-1m", "--text", "models/kjv-1m/calibration.txt", "--context", "32", "--chunks", "1",
      "--layer-loss", "-o", statistics)
    let found = try report(
      "plan", "models/kjv-1m", "--stats", statistics, "--params", "60%", "--depth-by", "loss",
      "--heldout",
      "models/kjv-1m/heldout.txt", "--context", "32", "--heldout-chunks", "1", "--search", "2", "--candidates",
      folder.file("c.json"), "-o", folder.file("plan.json"))
    #expect(found.object?.keys == ["output", "plan", "parent", "pruned", "depth", "search"])
    let candidates = try #require(found["search"]?["candidates"]?.array)
    #expect(candidates.count { $0["isChosen"] == true } == 1)
    #expect(candidates.count { $0["loss"] != nil } == 2)
    #expect(try JSON(parsing: FileSystem.read(folder.file("c.json"))) == found["search"])
    let parameters = try #require(found["pruned"]?["footprint"]?["parameters"]?.int)
    #expect(parameters == candidates.first { $0["isChosen"] == true }?["parameters"]?.int)
    #expect(found["plan"]?["parent"]?["family"] == "llama")
    #expect(found["plan"]?["parent"]?["contentHash"]?.string?.count == 64)
    #expect(found["plan"]?["reasons"]?.array?.isEmpty == false)
    #expect(try folder.names() == ["c.json", "plan.json", "s.safetensors"])
    // A plan for another model is refused.
    let refused = try ProgramRun(
      "compress", "models/llama-pico", folder.file("out"), "--plan", folder.file("plan.json"))
    #expect(refused.status == 2)
  }

  private static let verdict = ["passes", "correctness", "quality", "emulation", "layers", "tensors", "isRandom"]

  @Test func compressAndVerifySayItInJSON() throws {
    let plan = #"{"parentLayerCount": 3, "keptLayers": [0, 2], "criterion": "explicit"}"#
    try folder.write(plan, to: "plan.json")
    let json = try report(
      "compress", "models/llama-pico", folder.file("small"), "--fp8", "--plan", folder.file("plan.json"))
    #expect(json["recipe"]?["pruning"] == (try JSON(parsing: plan)))
    #expect(json["recipe"]?["quantization"]?["kind"] == "fp8-dynamic")
    #expect(json["recipe"]?["quantization"]?["rounding"] == "single")
    #expect(json["verification"]?.object?.keys == Self.verdict)
    #expect(try folder.names() == ["plan.json", "small", "small.work"])

    let verified = try report("verify", "models/llama-pico", folder.file("small"))
    #expect(verified == json["verification"])
    #expect(verified["passes"] == true)
    #expect(verified["isRandom"] == true)
    #expect(
      verified["correctness"]?.object?.keys == [
        "passes", "reference", "normalizedError", "tolerance", "expectsEqualTensors", "checks", "unmatchedTensors",
        "differingTensors", "differingSettings",
      ])
    #expect(verified["quality"]?["perplexityRatio"]?.double != nil)
    let refused = try report(
      "verify", "models/llama-pico", folder.file("small"), "--max-perplexity-ratio", "0.001", status: 1)
    #expect(refused["passes"] == false && refused["correctness"]?["passes"] == true)
    // The recipe in the result can be taken up again as a plan.
    let again = try report(
      "compress", "models/llama-pico", folder.file("again"), "--plan", folder.file("plan.json"), "--fp8", "--dry-run")
    for step in ["output", "pruning", "elementFormat", "quantization"] {
      #expect(again["recipe"]?[step] == json["recipe"]?[step])
    }
  }

  @Test func evalSaysItInJSON() throws {
    let json = try report(
      "eval", "models/kjv-1m", "--task", "arc", "--data", "tasks/arc.jsonl", "--limit", "2", "--compare",
      "models/kjv-1m", "--samples", folder.file("samples.jsonl"))
    #expect(json.object?.keys == ["model", "data", "score", "compared", "seconds"])
    #expect(
      json["score"]?.object?.keys == [
        "task", "itemCount", "shotCount", "accuracy", "normalizedAccuracy", "subjects", "truncatedCount",
      ])
    #expect(json["compared"]?["score"] == json["score"])
    #expect(json["compared"]?["comparison"] == ["onlyFirst": 0, "onlySecond": 0, "probability": 1.0])
    let samples = try folder.text(of: "samples.jsonl").split(separator: "\n").map { try JSON(parsing: String($0)) }
    #expect(samples.map { $0["question"] } == [1, 2])
    #expect(samples[0].object?.keys == ["question", "answer", "choice", "normalizedChoice", "requests"])
    #expect(samples[0]["requests"]?.array?.first?.object?.keys == ["context", "continuation", "logLikelihood"])
  }

  @Test func evalReadsWell() throws {
    let run = try ProgramRun(
      "eval", "models/kjv-1m", "--task", "mmlu", "--data", "tasks/mmlu.jsonl", "--limit", "2", "--compare",
      "models/kjv-1m", "-q")
    #expect(run.status == 0)
    // How long it took is not in the snapshot.
    try Snapshot.expect(run.output.split(separator: ",").dropLast().joined(separator: ","), "eval-kjv-1m.txt")
  }

  @Test func verifySaysNoInOneLookAtIt() throws {
    let run = try ProgramRun("verify", "models/llama-pico", "models/qwen2-pico")
    #expect(run.status == 1)
    #expect(run.output.contains("correctness  FAIL"))
    #expect(run.output.contains("missing, extra or misshapen: "))
  }

  @Test func dryRunsWriteNothing() throws {
    let compress = try report(
      "compress", "models/kjv-1m", folder.file("a"), "--drop-layers", "2", "--calibration",
      "models/kjv-1m/calibration.txt", "--context", "32", "--chunks", "1", "--dry-run")
    #expect(compress["recipe"]?["pruning"]?["keptLayers"]?.array?.count == 10)
    #expect(compress["sizes"]?.object?.keys == ["parentParameters", "parameters", "parentBytes", "bytes"])
    let convert = try report("convert", "models/llama-pico", folder.file("b.gguf"), "--dry-run")
    #expect(convert["outputBytes"]?.int != nil)
    #expect(try folder.names().isEmpty)
  }

  @Test func describeReadsWell() throws {
    try Snapshot.expect(ProgramRun("describe", "models/gemma2-pico").output, "describe-gemma2-pico.txt")
  }

  @Test func inspectReadsWell() throws {
    try Snapshot.expect(ProgramRun("inspect", "models/llama-pico", "--tensors").output, "inspect-llama-pico.txt")
  }

  @Test func saysThatALongContextIsCut() throws {
    let run = try ProgramRun(
      "perplexity", "models/kjv-1m", "--text", "models/kjv-1m/heldout.txt", "--context", "4096", "--chunks", "1")
    #expect(run.status == 0)
    #expect(run.errors.hasPrefix("warning: --context 4096 is more than the model's 256, which is used\n"))
    #expect(run.output.contains(" in 1 chunk of 256"))
  }
}
