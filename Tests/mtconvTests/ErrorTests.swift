import MTConvTestSupport
import Testing

/// Every way to get it wrong: what the program says, and how it ends.
@Suite struct ErrorTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = TemporaryFolder()
    try folder.write("In the beginning", to: "short.txt")
    try folder.write([0x66, 0xFF, 0xFE], to: "binary.txt")
    try folder.write([0x80, 0x02], to: "pytorch_model.bin")
    try folder.write(
      #"{"parentLayerCount":3,"keptLayers":[0,2],"criterion":"explicit","drop":[1]}"#, to: "unknown.json")
    try folder.write(#"{"parentLayerCount":3,"keptLayers":[0,0],"criterion":"explicit"}"#, to: "twice.json")
    try folder.write(#"{"parentLayerCount":3,"keptLayers":[0,2],"criterion":"explicit"}"#, to: "drop.json")
    try folder.write(#"{"parentLayerCount":9,"keptLayers":[0,1],"criterion":"explicit"}"#, to: "other.json")
    let heads = (0..<3).map { #""layers.\#($0).queryHead":[0,1]"# }.joined(separator: ",")
    try folder.write(
      #"{"parentLayerCount":3,"keptLayers":[0,1,2],"criterion":"explicit","keptIndices":{\#(heads)}}"#,
      to: "groups.json")
  }

  /// Arguments and exit code; TMP is a folder with the files above.
  private static let cases: [(arguments: String, status: Int32)] = [
    ("inspect no-such-model.gguf", 2),
    ("inspect models", 2),
    ("describe TMP/pytorch_model.bin", 2),
    ("describe safetensors/valid", 2),
    ("convert models/llama-pico", 64),
    ("convert models/llama-pico models/qwen2-pico", 2),
    ("convert models/llama-pico TMP/out --dtype int3", 64),
    ("convert models/llama-pico TMP/out --dtype q8_0", 64),
    ("convert models/llama-pico TMP/out --max-shard-size none", 64),
    ("convert models/gemma2-pico TMP/out.gguf", 2),
    ("logits models/llama-pico", 64),
    ("logits models/llama-pico --tokens 1 --text a", 64),
    ("logits models/llama-pico --tokens 1,,2", 64),
    ("logits models/llama-pico --tokens 1,two", 64),
    ("logits models/llama-pico --tokens 1,104", 2),
    ("logits models/llama-pico --text hello", 2),
    ("logits models/llama-pico --tokens 1 --top 0", 64),
    ("logits models/llama-pico --tokens 1 -o TMP/short.txt", 2),
    ("perplexity models/kjv-1m", 64),
    ("perplexity models/kjv-1m --text TMP/no-such.txt", 2),
    ("perplexity models/kjv-1m --text TMP/short.txt", 2),
    ("perplexity models/kjv-1m --text TMP/binary.txt", 2),
    ("perplexity models/kjv-1m --text TMP/short.txt --chunks 0", 64),
    ("perplexity models/kjv-1m --text TMP/short.txt --context 2", 64),
    ("perplexity models/llama-pico --text TMP/short.txt", 2),
    ("calibrate models/kjv-1m --text TMP/short.txt", 64),
    ("calibrate models/kjv-1m --text TMP/short.txt -o TMP/s --layer-loss-tokens 100", 64),
    ("compress models/kjv-1m TMP/out --keep-layers 9 --task-limit 3", 64),
    ("calibrate models/kjv-1m --text TMP/short.txt -o TMP/short.txt", 2),
    ("plan models/kjv-1m --stats TMP/short.txt -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --ffn 128 -o TMP/plan.json", 2),
    ("plan models/kjv-1m --stats models/kjv-1m/oracle.safetensors --ffn 128 -o TMP/plan.json", 2),
    ("plan models/kjv-1m --stats TMP/short.txt --ffn 0 -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --drop-layers -1 -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --params 120% -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --params 50% --bytes 1MB -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --fits 1GiB -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --speedup 0.5x -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --params 50% --axes layers,tail -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --ffn 128 --axes ffn -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --ffn 128 --candidates TMP/c.json -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --drop-layers 1 --depth-by task -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --drop-layers 1 --compare-depth -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --drop-layers 1 --chunks 1 -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --params 50% --dtype q8_0 -o TMP/plan.json", 64),
    ("plan models/kjv-1m --stats TMP/short.txt --params 50% --fp8 --gguf -o TMP/plan.json", 64),
    ("prune models/llama-pico -o TMP/out", 64),
    ("prune models/llama-pico --plan TMP/other.json -o TMP/out", 2),
    ("prune models/llama-pico --plan TMP/groups.json -o TMP/out", 2),
    ("prune models/llama-pico --plan TMP/twice.json -o models/qwen2-pico", 2),
    ("prune models/llama-pico --plan TMP/drop.json -o TMP/out --dtype q8_0", 64),
    ("prune models/llama-pico --plan TMP/drop.json -o TMP/out --heal TMP/short.txt", 2),
    ("compress models/llama-pico TMP/out", 64),
    ("compress models/llama-pico TMP/out --drop-layers 1 --keep-layers 2", 64),
    ("compress models/llama-pico TMP/out --drop-layers 1", 64),
    ("compress models/llama-pico TMP/out --drop-layers 0 --ffn 0 --calibration TMP/short.txt", 64),
    ("compress models/llama-pico TMP/out --params 50% --search-heal 2 --calibration TMP/short.txt", 64),
    ("compress models/llama-pico TMP/out --drop-layers 1 --candidates TMP/c.json --calibration TMP/short.txt", 64),
    ("compress models/llama-pico TMP/out --plan TMP/drop.json --stats TMP/none.st", 64),
    ("compress models/llama-pico TMP/out --plan TMP/drop.json --depth-by influence", 64),
    ("compress models/llama-pico TMP/out --plan TMP/drop.json --rounding compat", 64),
    ("compress models/llama-pico TMP/out --drop-layers 1 --max-depth 0.1 --calibration TMP/short.txt", 64),
    (
      "compress models/kjv-1m TMP/out --drop-layers 1 --distill-tokens 1k --calibration models/kjv-1m/heldout.txt --heldout models/kjv-1m/../kjv-1m/heldout.txt",
      2
    ),
    ("compress models/llama-pico TMP/out --drop-layers -1 --calibration TMP/short.txt", 64),
    ("compress models/llama-pico TMP/out --keep-layers 0 --calibration TMP/short.txt", 64),
    ("compress models/llama-pico TMP/out --keep-layers 4 --calibration TMP/short.txt", 2),
    ("compress models/llama-pico TMP/out --drop-layers 3 --calibration TMP/short.txt", 2),
    ("compress models/llama-pico TMP/out.gguf --fp8", 64),
    ("compress models/llama-pico models/qwen2-pico --fp8", 2),
    ("compress models/llama-pico TMP/out --fp8 --dtype q8_0", 64),
    ("compress models/llama-pico TMP/out --fp8 --rounding up", 64),
    ("compress models/llama-pico TMP/out --fp8 --plan TMP/unknown.json", 2),
    ("compress models/llama-pico TMP/out --fp8 --plan TMP/twice.json", 2),
    ("compress models/llama-pico TMP/out --fp8 --plan TMP/other.json", 2),
    ("compress models/llama-pico TMP/out --plan TMP/other.json --keep-layers 2", 64),
    ("convert models/llama-pico TMP/out --dialect modelopt", 2),
    ("convert models/llama-pico TMP/out --dialect fbgemm", 64),
    ("convert models/llama-pico TMP/out --dialect fp8 --dtype bf16", 64),
    ("convert models/fp8-reference/fp8-dynamic TMP/out --dialect fp8", 2),
    ("convert models/fp8-reference/fp8-dynamic TMP/out.gguf --dialect fp8", 64),
    ("convert models/fp8-reference/modelopt-fp8-kv TMP/out --dialect compressed-tensors", 2),
    ("quantize models/llama-pico -o TMP/out", 64),
    ("quantize models/llama-pico -o TMP/out.gguf --scheme fp8-block", 64),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-dynamic --dialect fp8", 64),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-block --dialect fp8 --kv-cache --stats TMP/short.txt", 64),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-static", 64),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-static --stats TMP/short.txt", 2),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-block --stats TMP/short.txt", 64),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-block --ignore re:(", 64),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-block --scales output", 64),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-dynamic --ignore model.layers.0.mlp.up", 2),
    ("quantize models/llama-pico -o TMP/out --scheme fp8-dynamic --ignore re:.*", 2),
    ("perplexity models/kjv-1m --text TMP/short.txt --kv-cache fp4", 64),
    ("verify models/llama-pico", 64),
    ("verify models/llama-pico models/kjv-1m", 2),
    ("verify models/llama-pico models/llama-pico --max-perplexity-ratio much", 64),
    ("verify models/llama-pico models/llama-pico --max-perplexity-ratio nan", 64),
    ("verify models/llama-pico models/llama-pico --tolerance -1", 64),
    ("verify models/llama-pico models/llama-pico --heal TMP/short.txt", 2),
    ("shrink models/llama-pico", 64),
    ("inspect models/llama-pico --tensor", 64),
    ("eval models/kjv-1m --data tasks/piqa.jsonl", 64),
    ("eval models/kjv-1m --task boolq --data tasks/piqa.jsonl", 64),
    ("eval models/kjv-1m --task piqa --data tasks/piqa.jsonl --limit 0", 64),
    ("eval models/kjv-1m --task piqa --data tasks/piqa.jsonl --shots-data tasks/mmlu-dev.jsonl", 64),
    ("eval models/kjv-1m --task piqa --data tasks/piqa.jsonl --shots 3", 64),
    ("eval models/kjv-1m --task arc --data tasks/piqa.jsonl", 2),
    ("eval models/kjv-1m --task piqa --data TMP/binary.txt", 2),
    ("eval models/kjv-1m --task piqa --data tasks/piqa.jsonl --samples TMP/short.txt", 2),
    ("eval models/llama-pico --task piqa --data tasks/piqa.jsonl", 2),
    ("report TMP", 64),
    ("report no-such-folder -o TMP/report.html", 2),
    ("report TMP -o TMP/short.txt", 2),
    ("report TMP --plan TMP/unknown.json -o TMP/report.html", 2),
    ("report TMP --verification TMP/short.txt -o TMP/report.html", 2),
    ("report TMP --stats models/kjv-1m/model.safetensors -o TMP/report.html", 2),
  ]

  @Test func everyMistakeIsNamedInOneLine() throws {
    var text = ""
    for (arguments, status) in Self.cases {
      let words = arguments.split(separator: " ").map { word in
        word.hasPrefix("TMP") ? folder.path + word.dropFirst(3) : String(word)
      }
      let run = try ProgramRun(words)
      #expect(run.status == status && run.signal == nil, "\(arguments): \(run.status), \(run.errors)")
      #expect(run.output.isEmpty, "\(arguments)")
      let errors = run.errors.split(separator: "\n")
      if status == 2 { #expect(errors.count == 1 && errors[0].hasPrefix("mtconv: "), "\(arguments): \(run.errors)") }
      if status == 64 { #expect(errors.first?.hasPrefix("Error: ") == true, "\(arguments): \(run.errors)") }
      let message = errors.first.map { $0.replacing(folder.path, with: "TMP") } ?? ""
      text += "$ mtconv \(arguments)\n\(message)\nexit \(status)\n\n"
    }
    try Snapshot.expect(text, "errors.txt")
    let inputs = [
      "binary.txt", "drop.json", "groups.json", "other.json", "pytorch_model.bin", "short.txt", "twice.json",
      "unknown.json",
    ]
    #expect(try folder.names() == inputs)
  }
}
