import Foundation
import MTConvTestSupport
import TensorFormats
import Testing

/// Outputs that cannot be written, or that would take something else away, are refused before any work.
@Suite struct OutputRefusalTests {
  private let folder = TemporaryFolder()

  init() throws {
    for name in ["model", "other", "other/in"] {
      try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
    }
    for name in ["model/config.json", "other/in/config.json", "other/precious.txt", "file"] {
      try folder.write("x", to: name)
    }
  }

  /// Arguments, TMP being the folder, and what is said. The models read are not there, unless they are looked at first.
  @Test(arguments: [
    ("convert TMP/other/in TMP/other --force", "'TMP/other' would replace 'TMP/other/in', which is needed to make it"),
    ("convert TMP/model TMP/../NAME/model/ --force", "would replace 'TMP/model'"),
    ("convert nothing TMP/other --force", "'TMP/other' is not replaced: it holds the directory 'in'"),
    ("convert nothing TMP --force", "'TMP' is not replaced"),
    (
      "convert nothing TMP/model.gguf/x --force",
      "cannot create 'TMP/model.gguf/x': there is no directory 'TMP/model.gguf'"
    ),
    ("calibrate nothing --text no.txt -o TMP/none/s", "cannot create 'TMP/none/s': there is no directory 'TMP/none'"),
    ("calibrate nothing --text TMP/file -o TMP/file --force", "'TMP/file' would replace 'TMP/file'"),
    ("heal nothing --plan p --text t -o TMP/x --report TMP/./x", "'TMP/./x' is given for two outputs"),
    ("plan nothing --stats s --params 50% -o TMP/x --candidates TMP/x --force", "'TMP/x' is given for two outputs"),
    ("logits nothing --tokens 1 -o TMP/model --force", "'TMP/model' is a directory"),
    ("replay TMP/model --parent nothing -o TMP/model --force", "'TMP/model' would replace 'TMP/model'"),
    (
      "finetune models/kjv-1m --data d --heldout h --tokens 9 -o TMP/none/d",
      "cannot create 'TMP/none/d': there is no directory 'TMP/none'"
    ),
    (
      "finetune models/kjv-1m --data d --heldout h --tokens 9 -o TMP/model --work TMP/model/work --force",
      "'TMP/model' would replace 'TMP/model/work'"
    ),
    ("compress models/kjv-1m TMP/none/c --fp8", "cannot create 'TMP/none/c': there is no directory 'TMP/none'"),
    ("compress models/kjv-1m TMP/model --fp8 --work TMP/model --force", "'TMP/model' would replace 'TMP/model'"),
    (
      "finetune models/kjv-1m --data d --heldout h --tokens 9 -o TMP/x --work models/kjv-1m",
      "'models/kjv-1m' cannot be the folder for work: it is, or lies in, 'models/kjv-1m', which is read"
    ),
    (
      "distill --student models/kjv-1m --teacher models/llama-pico --data d --heldout h --tokens 9 -o TMP/x --work models/llama-pico/w",
      "'models/llama-pico/w' cannot be the folder for work: it is, or lies in, 'models/llama-pico', which is read"
    ),
    (
      "finetune models/kjv-1m --data d --heldout h --tokens 9 -o TMP/x --work TMP/model",
      "'TMP/model' cannot be the folder for work: it holds a model"
    ),
    (
      "calibrate models/kjv-1m --text TMP/file -o TMP/x --work TMP/model",
      "'TMP/model' cannot be the folder for work: it holds a model"
    ),
    (
      "compress models/kjv-1m TMP/x --fp8 --work models/kjv-1m/",
      "'models/kjv-1m/' cannot be the folder for work: it is, or lies in, 'models/kjv-1m', which is read"
    ),
    (
      "compress models/kjv-1m TMP/x --fp8 --dry-run --work TMP/model",
      "'TMP/model' cannot be the folder for work: it holds a model"
    ),
    (
      "compress models/kjv-1m TMP/x --drop-layers 1 --calibration TMP/file --stats TMP/none/s",
      "cannot create 'TMP/none/s': there is no directory 'TMP/none'"
    ),
  ])
  func isRefusedBeforeAnyWork(_ arguments: String, _ message: String) throws {
    func filled(_ text: String) -> String {
      text.replacing("TMP", with: folder.path).replacing("NAME", with: FileSystem.baseName(folder.path))
    }
    let run = try ProgramRun(arguments.split(separator: " ").map { filled(String($0)) })
    #expect(run.status == 2 && run.errors.contains(filled(message)), "\(run.errors)")
    #expect(try folder.text(of: "other/precious.txt") == "x")
    #expect(try folder.names() == ["file", "model", "other"])
  }

  @Test(arguments: ["model", "file", "empty"]) func aModelIsReplaced(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: true)
    let run = try ProgramRun("convert", "models/llama-pico", folder.file(name), "--force", "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    #expect(try FileSystem.names(in: folder.file(name)).contains("model.safetensors"))
  }

  private static let most = "9223372036854775807"

  @Test(arguments: [
    (
      "distill --teacher t --student s --data d --heldout h --tokens 9 -o o --batch \(most)", "expected at most 1048576"
    ),
    ("distill --teacher t --student s --data d --heldout h --tokens 9 -o o --train lora:\(most)", "is invalid"),
    ("compress m o --drop-layers 1 --calibration c --distill-tokens 9 --distill-batch \(most)", "at most 1048576"),
    ("compress m o --drop-layers 1 --calibration c --distill-tokens 9 --distill-train lora:\(most)", "is invalid"),
    ("plan m --stats s --ffn 128 -o o --at \(most)", "--at is \(most), expected at most 4294967296"),
    ("plan m --stats s --fits 1GiB@\(most) -o o", "is invalid"),
  ])
  func numbersThatNothingHasAreWrongUsage(_ arguments: String, _ message: String) throws {
    let run = try ProgramRun(arguments.split(separator: " ").map(String.init))
    #expect(run.status == 64 && run.errors.contains(message), "\(run.errors)")
  }
}
