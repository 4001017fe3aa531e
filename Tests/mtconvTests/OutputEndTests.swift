import Foundation
import MTConvTestSupport
import SafetensorsFormat
import TensorFormats
import Testing

/// Outputs that go away, and runs that are stopped.
@Suite struct OutputEndTests {
  private let folder: TemporaryFolder

  init() { folder = TemporaryFolder() }

  @Test func aClosedPipeEndsTheOutputAndNotTheVerdict() throws {
    for (arguments, status): ([String], Int32) in [
      (["describe", "models/gemma2-pico"], 0), (["verify", "models/llama-pico", "models/qwen2-pico"], 1),
      (["--help"], 0),
    ] {
      let process = ProgramRun.process(arguments)
      let pipe = Pipe()
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try pipe.fileHandleForReading.close()
      try process.run()
      process.waitUntilExit()
      let end = ProgramRun.end(of: process)
      #expect(end.status == status && end.signal == nil, "\(arguments): \(end)")
    }
  }

  #if os(Linux)
    @Test func aFullDiskUnderTheOutputIsAFailure() throws {
      let process = ProgramRun.process(["inspect", "models/llama-pico"])
      let errors = Pipe()
      process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
      process.standardError = errors
      try process.run()
      let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 2)
      #expect(message.hasPrefix("mtconv: the result cannot be written"))
    }
  #endif

  @Test(arguments: [SIGINT, SIGTERM]) func aStoppedConversionLeavesNothing(_ signal: Int32) throws {
    try writeLargeModel("model")
    let process = ProgramRun.process(["convert", folder.file("model"), folder.file("out"), "--dtype", "f32", "--quiet"])
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let deadline = Date(timeIntervalSinceNow: 20)
    while try folder.names().count < 2, process.isRunning, Date() < deadline { usleep(2000) }
    #expect(try folder.names().count == 2, "the partial output is there")
    kill(process.processIdentifier, signal)
    let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(ProgramRun.end(of: process) == (130, nil))
    #expect(message == "mtconv: interrupted\n")
    #expect(try folder.names() == ["model"])
  }

  /// A Llama of one layer whose embedding takes the program a while; its file is a header and a hole.
  private func writeLargeModel(_ name: String) throws {
    let (vocabulary, hidden) = (40_000, 1024)
    let config: JSON = [
      "model_type": "llama", "hidden_size": .int(hidden), "intermediate_size": 8, "num_hidden_layers": 1,
      "num_attention_heads": 8, "num_key_value_heads": 8, "vocab_size": .int(vocabulary), "rms_norm_eps": 1e-5,
      "max_position_embeddings": 64, "tie_word_embeddings": true, "rope_theta": 10000,
    ]
    let block = "model.layers.0."
    let shapes: [(String, [Int])] = [
      ("model.embed_tokens.weight", [vocabulary, hidden]), ("model.norm.weight", [hidden]),
      (block + "input_layernorm.weight", [hidden]), (block + "post_attention_layernorm.weight", [hidden]),
      (block + "self_attn.q_proj.weight", [hidden, hidden]), (block + "self_attn.k_proj.weight", [hidden, hidden]),
      (block + "self_attn.v_proj.weight", [hidden, hidden]), (block + "self_attn.o_proj.weight", [hidden, hidden]),
      (block + "mlp.gate_proj.weight", [8, hidden]), (block + "mlp.up_proj.weight", [8, hidden]),
      (block + "mlp.down_proj.weight", [hidden, 8]),
    ]
    let writer = try SafetensorsWriter(tensors: shapes.map { TensorInfo(name: $0.0, format: .bf16, shape: $0.1) })
    try folder.makeDirectory(name)
    try folder.write(config.serialized(.indented), to: name + "/config.json")
    try folder.write(writer.header, to: name + "/model.safetensors")
    let file = try #require(FileHandle(forWritingAtPath: folder.file(name + "/model.safetensors")))
    try file.truncate(atOffset: UInt64(writer.fileSize))
    try file.close()
  }
}
