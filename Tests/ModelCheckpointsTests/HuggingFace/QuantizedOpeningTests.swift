import MTConvTestSupport
import ModelArchitectures
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCheckpoints

/// Conventions of other producers, each with up_proj of the last layer (96 × 32) as codes: what they mean, and what is refused.
@Suite struct QuantizedOpeningTests {
  private let folder: TemporaryFolder

  init() { folder = TemporaryFolder() }

  struct Convention: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let config: String
    var format = ElementFormat.f8E4M3
    let scale: String
    let shape: [Int]
    var scaleFormat = ElementFormat.f32
    let layout: QuantizationLayout
    var inputScale: String? = nil
    var cacheScale: String? = nil
  }

  private static let module = "model.layers.2.mlp.up_proj"

  static let conventions = [
    Convention(
      testDescription: "DeepSeek V3",
      config: #"{"quant_method":"fp8","activation_scheme":"dynamic","fmt":"e4m3","weight_block_size":[64,16]}"#,
      scale: "weight_scale_inv", shape: [2, 2],
      layout: QuantizationLayout(dialect: .fp8, weights: .block(rows: 64, columns: 16), activations: .perGroup(16))),
    Convention(
      testDescription: "DeepSeek V4, exponents under another name",
      config: #"{"quant_method":"fp8","activation_scheme":"dynamic","scale_fmt":"ue8m0","weight_block_size":[64,16]}"#,
      scale: "scale", shape: [2, 2], scaleFormat: .f8E8M0,
      layout: QuantizationLayout(dialect: .fp8, weights: .block(rows: 64, columns: 16), activations: .perGroup(16))),
    Convention(
      testDescription: "vLLM, static",
      config:
        #"{"quant_method":"fp8","activation_scheme":"static","ignored_layers":["lm_head"],"kv_cache_scheme":"static"}"#,
      scale: "weight_scale", shape: [1],
      layout: QuantizationLayout(
        dialect: .fp8, weights: .tensor, activations: .calibrated, quantizesKeyValueCache: true, ignored: ["lm_head"]),
      inputScale: "input_scale", cacheScale: "model.layers.2.self_attn.kv_scale"),
    Convention(
      testDescription: "transformers, static",
      config:
        #"{"quant_method":"fp8","activation_scheme":"static","dequantize":false,"modules_to_not_convert":null,"weight_block_size":null}"#,
      scale: "weight_scale_inv", shape: [], scaleFormat: .bf16,
      layout: QuantizationLayout(dialect: .transformers, weights: .tensor, activations: .calibrated),
      inputScale: "activation_scale"),
    Convention(
      testDescription: "FBGEMM", config: #"{"quant_method":"fbgemm_fp8","activation_scale_ub":1200}"#,
      scale: "weight_scale", shape: [96, 1],
      layout: QuantizationLayout(dialect: .fbgemm, weights: .row, activations: .perToken)),
    Convention(
      testDescription: "MXFP8 of compressed-tensors",
      config: """
        {"quant_method":"compressed-tensors","format":"mxfp8-quantized","ignore":["lm_head"],"config_groups":{"group_0":{
        "input_activations":{"dynamic":true,"num_bits":8,"type":"float","strategy":"group","group_size":32},
        "weights":{"dynamic":false,"num_bits":8,"type":"float","strategy":"group","group_size":32}}}}
        """,
      scale: "weight_scale", shape: [96, 1], scaleFormat: .u8,
      layout: QuantizationLayout(
        dialect: .compressedTensors, weights: .block(rows: 1, columns: 32), activations: .perGroup(32),
        ignored: ["lm_head"])),
    Convention(
      testDescription: "E5M2, weights only",
      config: """
        {"quant_method":"compressed-tensors","format":"float-quantized","config_groups":{"g":{"input_activations":null,
        "weights":{"num_bits":8,"type":"float","strategy":"tensor"}}},"kv_cache_scheme":{"num_bits":8}}
        """,
      format: .f8E5M2, scale: "weight_scale", shape: [1], scaleFormat: .bf16,
      layout: QuantizationLayout(
        dialect: .compressedTensors, weights: .tensor, activations: .none, quantizesKeyValueCache: true),
      cacheScale: "model.layers.2.self_attn.k_proj.output_scale"),
  ]

  private func model(_ convention: Convention) throws -> ModelFolder {
    var model = try ModelFolder("llama")
    let name = Self.module + ".weight"
    let values = try #require(model.tensors[name])
    model.tensors[name] = try values.encoded(as: convention.format)
    let count = convention.shape.reduce(1, *)
    // Powers of two, which every format of scales has.
    let scales = LazyTensor(
      (0..<count).map { Float(sign: .plus, exponent: $0 % 5 - 2, significand: 1) }, shape: convention.shape)
    let stored =
      convention.scaleFormat == .u8
      ? try scales.encoded(as: .f8E8M0).reinterpreted(as: .u8) : try scales.encoded(as: convention.scaleFormat)
    model.tensors["\(Self.module).\(convention.scale)"] = stored
    if let scale = convention.inputScale { model.set("\(Self.module).\(scale)", [0.25], shape: []) }
    if let scale = convention.cacheScale { model.set(scale, [0.5], shape: [1]) }
    model.config["quantization_config"] = try JSON(parsing: convention.config)
    return model
  }

  private func write(_ convention: Convention) throws -> ModelFolder {
    let model = try model(convention)
    try model.write(to: folder)
    return model
  }

  @Test(arguments: conventions) func isUnderstood(_ convention: Convention) throws {
    let source = try write(convention)
    let model = try Checkpoint(path: folder.path)
    #expect(model.quantization == convention.layout)
    let weight = try #require(model.weights[WeightKey(.up, layer: 2)])
    let scale = try #require(weight.scale)
    let (block, grid) = (convention.layout.weights.block, convention.layout.weights.gridShape(of: [96, 32]))
    let factors = (0..<grid[0] * grid[1]).map { Float(sign: .plus, exponent: $0 % 5 - 2, significand: 1) }
    #expect(try scale.values.decoded() == factors)
    let codes = try #require(source.tensors[Self.module + ".weight"]).decoded()
    let expected = codes.enumerated().map { place, code in
      code * factors[place / 32 / block.rows * grid[1] + place % 32 / block.columns]
    }
    #expect(try weight.plain.decoded() == expected)
    #expect(try weight.inputScale?.decoded() == (convention.inputScale == nil ? nil : [0.25]))
    let key = try #require(model.weights[WeightKey(.key, layer: 2)])
    #expect(try key.cacheScale?.decoded() == (convention.cacheScale == nil ? nil : [0.5]))
  }

  @Test(arguments: conventions) func isWrittenBackUnderTheNamesOfItsDialect(_ convention: Convention) throws {
    _ = try write(convention)
    let model = try Checkpoint(path: folder.path)
    let out = TemporaryFolder()
    try model.write(to: out.file("again"), as: .huggingFace)
    let again = try Checkpoint(path: out.file("again"))
    #expect(again.quantization == model.quantization)
    let (a, b) = (
      try #require(model.weights[WeightKey(.up, layer: 2)]), try #require(again.weights[WeightKey(.up, layer: 2)])
    )
    #expect(try a.values.bytes() == b.values.bytes())
    #expect(try a.scale?.values.decoded() == b.scale?.values.decoded())
    #expect(try a.inputScale?.decoded() == b.inputScale?.decoded())
  }

  @Test func scalesThatNoConfigurationExplainsAreFoundByTheirShape() throws {
    var model = try model(Self.conventions[4])
    model.config["quantization_config"] = nil
    try model.write(to: folder)
    let scale = try #require(try Checkpoint(path: folder.path).weights[WeightKey(.up, layer: 2)]?.scale)
    #expect(scale.granularity == .row)
  }

  @Test func scalesOfTheCacheStayThoughNothingElseIsQuantized() throws {
    var model = try ModelFolder("llama")
    for name in ["k_scale", "v_scale"] { model.set("model.layers.1.self_attn.\(name)", [0.5], shape: [1]) }
    model.config["quantization_config"] = try JSON(parsing: Self.conventions[6].config)
    try model.write(to: folder)
    let out = TemporaryFolder()
    try Checkpoint(path: folder.path).write(to: out.file("again"), as: .huggingFace)
    let again = try Checkpoint(path: out.file("again"))
    #expect(again.quantization?.quantizesKeyValueCache == true)
    for role in [WeightRole.key, .value] {
      #expect(try again.weights[WeightKey(role, layer: 1)]?.cacheScale?.decoded() == [0.5])
    }
  }

  @Test func modelOptsOwnFileIsEnough() throws {
    var model = try model(Self.conventions[2])
    model.config["quantization_config"] = nil
    model.files["hf_quant_config.json"] = Array(
      #"{"producer":{"name":"modelopt"},"quantization":{"quant_algo":"FP8","kv_cache_quant_algo":"FP8"}}"#.utf8)
    try model.write(to: folder)
    let layout = try Checkpoint(path: folder.path).quantization
    #expect(
      layout
        == QuantizationLayout(
          dialect: .modelOpt, weights: .tensor, activations: .calibrated, quantizesKeyValueCache: true))
  }

  @Test(arguments: [
    (#"{"quant_method":"gptq"}"#, "quantization method 'gptq' is not supported yet"),
    (#"{"quant_method":"modelopt","quant_algo":"NVFP4"}"#, "ModelOpt's algorithm 'NVFP4' is not supported yet"),
    (#"{"quant_method":"fp8","weight_block_size":[128,0]}"#, "'weight_block_size' is [128,0], expected two sizes"),
    (#"{"quant_method":"compressed-tensors"}"#, "has no 'config_groups'"),
    (
      #"{"quant_method":"compressed-tensors","config_groups":{"g":{"weights":{"num_bits":4,"type":"float","strategy":"group"}}}}"#,
      "quantized weights of type 'float' by 'group' are not supported yet"
    ),
    (
      #"{"quant_method":"compressed-tensors","config_groups":{"g":{"weights":{"num_bits":8,"type":"float","strategy":"tensor"},"input_activations":{"dynamic":false,"strategy":"channel"}}}}"#,
      "static activations by 'channel' are not supported yet"
    ),
    (#"{"quant_method":"fp8","weight_block_size":[64,64]}"#, "expected a scale for each 64×64 block of [96, 32]"),
  ])
  func refusesWhatItDoesNotUnderstand(_ config: String, _ message: String) throws {
    var model = try model(Self.conventions[0])
    model.config["quantization_config"] = try JSON(parsing: config)
    try model.write(to: folder)
    let error = #expect(throws: CheckpointError.self) { _ = try Checkpoint(path: folder.path) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }
}
