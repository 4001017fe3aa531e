import MTConvTestSupport
import TensorFormats
import Testing

/// distill and finetune on the bundled model, a few short steps.
@Suite struct TrainingTests {
  private let folder = TemporaryFolder()

  private func student() throws -> String {
    let kept = stride(from: 0, to: 12, by: 3).map(String.init).joined(separator: ", ")
    let plan = try folder.write(
      "{\"parentLayerCount\": 12, \"keptLayers\": [\(kept)], \"criterion\": \"explicit\"}", to: "plan.json")
    let out = folder.file("student")
    let run = try ProgramRun("prune", "models/kjv-1m", "--plan", plan, "-o", out, "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    return out
  }

  private func shared(_ out: String) -> [String] {
    [
      "--data", "models/kjv-1m/calibration.txt", "--heldout", "models/kjv-1m/heldout.txt", "--heldout-chunks", "1",
      "--context", "32", "--tokens", "96", "--learning-rate", "1e-3", "-o", out, "--quiet",
    ]
  }

  @Test func aStudentIsTrainedWrittenAndVerified() throws {
    let (student, out) = (try student(), folder.file("out"))
    // OUT may end in a slash, a state may never be saved on the way, and what was not saved yet begins anew.
    let run = try ProgramRun(
      ["distill", "--teacher", "models/kjv-1m", "--student", student, "--json", "--resume", "--save-every", "1e30"]
        + shared(out + "/"))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("warning: no state was saved in '\(out).work', so the run begins anew"))
    let report = try JSON(parsing: run.output).object
    #expect(report?["steps"]?.int == 3)
    #expect(try folder.names().contains("out.work"))
    let verify = try ProgramRun("verify", student, out, "--quiet")
    #expect(verify.status == 0, "\(verify.errors)")
    #expect(verify.output.contains("correctness  pass"))
    // The same folder again is refused, and a run of other settings is not resumed.
    let again = try ProgramRun(
      ["distill", "--teacher", "models/kjv-1m", "--student", student, "--force"] + shared(out))
    #expect(again.status == 2 && again.errors.contains("holds a run already"))
    let other = try ProgramRun(
      ["distill", "--teacher", "models/kjv-1m", "--student", student, "--force", "--resume", "--seed", "9"]
        + shared(out))
    #expect(other.status == 2 && other.errors.contains("other settings (seed 1, now 9)"), "\(other.errors)")
  }

  @Test func aDryRunSaysWhatItWouldTakeAndWritesNothing() throws {
    let run = try ProgramRun(["finetune", "models/kjv-1m", "--dry-run"] + shared(folder.file("out")))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("trained parameters"))
    #expect(try folder.names().isEmpty)
  }

  @Test(arguments: [
    (["--temperature", "0"], "--temperature is 0.0, expected more than 0"),
    (["--temperature", "inf"], "--temperature is inf, expected more than 0"),
    (["--weight-decay", "nan"], "--weight-decay is nan, expected at least 0"),
    (["--weight-decay=-0.1"], "--weight-decay is -0.1, expected at least 0"),
    (["--minimum-rate", "1e-4", "--clip", "inf"], "--clip is inf, expected more than 0"),
    (["--beta", "1"], "--beta is 1.0, expected between 0 and 1"),
    (["--cross-entropy", "2"], "--cross-entropy is 2.0, expected 0 to 1"),
    (["--cache-teacher", "topk:8", "--loss", "jsd"], "--cache-teacher topk goes with --loss forward-kl"),
    (["--cache-teacher", "exact", "--hidden-loss", "mse"], "--cache-teacher keeps no hidden states"),
    (["--train", "some"], "The value 'some' is invalid"),
    (["--random-start", "--train", "last:1"], "--random-start goes with --train all"),
  ])
  func wrongOptionsAreRefusedBeforeAFileIsOpened(_ options: [String], _ message: String) throws {
    let run = try ProgramRun(
      ["distill", "--teacher", "nowhere", "--student", "nowhere"] + options + shared(folder.file("out")))
    #expect(run.status == 64 && run.errors.contains(message), "\(run.errors)")
  }

  @Test(arguments: ["--learning-rate", "--minimum-rate"]) func aRateWithoutBoundsIsRefused(_ option: String) throws {
    let run = try ProgramRun([
      "finetune", "models/kjv-1m", "--data", "d", "--heldout", "h", "--tokens", "9", "-o", folder.file("out"), option,
      "inf",
    ])
    #expect(
      run.status == (option == "--learning-rate" ? 64 : 2) && run.errors.contains("inf, expected"), "\(run.errors)")
  }

  private func distilling(_ teacher: String, _ more: [String] = []) throws -> ProgramRun {
    try ProgramRun(["distill", "--teacher", teacher, "--student", "models/kjv-1m"] + shared(folder.file("out")) + more)
  }

  /// The bundled model with another text of its tokenizer.
  private func teacher(_ change: (String) -> String) throws -> String {
    try folder.makeDirectory("teacher")
    for name in ["config.json", "model.safetensors", "tokenizer_config.json", "tokenizer.json"] {
      let bytes = try FileSystem.read(Fixture.path("models/kjv-1m/\(name)"))
      let isTokenizer = name == "tokenizer.json"
      try folder.write(
        isTokenizer ? Array(change(String(decoding: bytes, as: UTF8.self)).utf8) : bytes, to: "teacher/\(name)")
    }
    return folder.file("teacher")
  }

  @Test func aTeacherWithOtherTokensIsRefused() throws {
    let teacher = try teacher {
      $0.replacing("\"Ġwi\": 300", with: "\"Ġwi\": 900").replacing("\"Ġeyes\": 900", with: "\"Ġeyes\": 300")
    }
    let run = try distilling(teacher)
    #expect(run.status == 2, "\(run.output)")
    #expect(run.errors.contains("the teacher '\(teacher)' has another tokenizer than the student"), "\(run.errors)")
    #expect(run.errors.contains("token 300 is 'Ġeyes' in the teacher and 'Ġwi' in the student"), "\(run.errors)")
    #expect(try folder.names() == ["teacher"])
  }

  /// Another name of a token that no text has, and a GGUF file.
  @Test func aTeacherWithTheSameTokensOfTextIsTaken() throws {
    let renamed = try teacher { $0.replacing("<|end_of_text|>", with: "<|im_end|>") }
    let gguf = folder.file("teacher.gguf")
    let conversion = try ProgramRun("convert", "models/kjv-1m", gguf, "--quiet")
    #expect(conversion.status == 0, "\(conversion.errors)")
    for teacher in [renamed, gguf] {
      let run = try distilling(teacher, ["--dry-run"])
      #expect(run.status == 0, "\(run.errors)")
    }
  }

  /// The teacher has 104 tokens and no tokenizer.
  @Test func aTextWithTokensThatTheTeacherHasNotIsRefusedBeforeAnyWork() throws {
    let run = try distilling("models/llama-pico")
    #expect(run.status == 2, "\(run.output)")
    #expect(
      run.errors.contains("'models/kjv-1m/calibration.txt': token ")
        && run.errors.contains("is not in the vocabulary of 104 of the teacher 'models/llama-pico'"), "\(run.errors)")
    #expect(try folder.names().isEmpty)
  }

  @Test func aHeldOutTextThatSaysNothingLeavesNothing() throws {
    let short = try folder.write("[[5, 6], [7, 8]]", to: "short.json")
    let run = try distilling("models/kjv-1m", ["--heldout", short])
    #expect(run.status == 2 && run.errors.contains("'\(short)': no sequence of three tokens or more"), "\(run.errors)")
    #expect(try folder.names() == ["short.json"])
  }

  @Test func documentsOfOneTokenAreNoTrainingText() throws {
    let single = try folder.write("[\((0..<64).map { "[\($0)]" }.joined(separator: ","))]", to: "single.json")
    let run = try ProgramRun(["finetune", "models/kjv-1m"] + shared(folder.file("out")) + ["--data", single])
    #expect(
      run.status == 2 && run.errors.contains("'\(single)': no document of the training text has two"), "\(run.errors)")
  }

  @Test func aRunThatDivergesSavesItsStateAndWritesNothing() throws {
    let student = try student()
    let run = try ProgramRun(
      ["distill", "--teacher", "models/kjv-1m", "--student", student] + shared(folder.file("out"))
        + ["--learning-rate", "1e6", "--tokens", "640"])
    #expect(
      run.status == 2 && run.errors.contains("steps gave no finite gradient; lower the learning rate"), "\(run.errors)")
    #expect(try folder.names() == ["out.work", "plan.json", "student"])
    #expect(try FileSystem.names(in: folder.file("out.work")) == ["log.jsonl", "state.safetensors"])
  }
}
