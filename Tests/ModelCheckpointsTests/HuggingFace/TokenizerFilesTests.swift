import GGUFFormat
import ModelArchitectures
import ModelTokenizers
import MTConvTestSupport
import OrderedCollections
import TensorFormats
import Testing

@testable import ModelCheckpoints

/// What the files of a directory, or the keys of a GGUF file, say about the tokenizer together.
@Suite struct TokenizerFilesTests {
  /// What GGUF says of the tokenizer with these files beside tokenizer.json, and these members of config.json.
  private func description(_ files: [String: String], _ config: JSONObject = [:]) throws -> TokenizerDescription {
    var folder = try ModelFolder("llama")
    for key in ["bos_token_id", "eos_token_id", "pad_token_id"] { folder.config[key] = config[key] }
    folder.files = files.mapValues { Array($0.utf8) }
    folder.files["tokenizer.json"] = try FileSystem.read(Fixture.path("tokenizers/smollm/tokenizer.json"))
    let written = try folder.written()
    return try #require(try Checkpoint(path: written.path).ggufTokenizerDescription())
  }

  @Test func specialTokensAreFoundWhereverTheyStand() throws {
    let ids: JSONObject = ["bos_token_id": 2, "eos_token_id": [0, 2], "pad_token_id": -1]
    let byID = try description([:], ids)
    #expect(byID.beginningToken == 2 && byID.endToken == 0 && byID.paddingToken == nil)
    #expect(!byID.addsBeginning)
    let map = #"{"bos_token":{"content":"<|bos|>"},"pad_token":"<|eot|>"}"#
    let byMap = try description(["special_tokens_map.json": map], ids)
    #expect(byMap.beginningToken == 1 && byMap.endToken == 0 && byMap.paddingToken == 2)
    let config = #"{"bos_token":"<|endoftext|>","eos_token":null}"#
    let named = try description(["special_tokens_map.json": map, "tokenizer_config.json": config], ids)
    #expect(named.beginningToken == 0 && named.endToken == 0 && named.paddingToken == 2)
    #expect(try description(["generation_config.json": #"{"eos_token_id":2}"#]).endToken == 2)
    #expect(try description([:], ["eos_token_id": 100_000]).endToken == nil)
    // What transformers does not see is no token of the tokenizer that runs here.
    var folder = try ModelFolder("llama")
    for (key, value) in ids { folder.config[key] = value }
    folder.files["tokenizer.json"] = try FileSystem.read(Fixture.path("tokenizers/smollm/tokenizer.json"))
    let written = try folder.written()
    let plain = try #require(try Checkpoint(path: written.path).tokenizerDescription())
    #expect(plain.beginningToken == nil && plain.endToken == nil)
  }

  @Test func aTemplateOfItsOwnFileGoesBefore() throws {
    let files = ["chat_template.jinja": "new", "tokenizer_config.json": #"{"chat_template":"old"}"#]
    #expect(try description(files).chatTemplate == "new")
    #expect(try description(["chat_template.jinja": "new"]).chatTemplate == "new")
  }

  @Test func templatesWithNamesAreListedOrInAFolder() throws {
    let list = #"{"chat_template":[{"name":"tool use","template":"T"},{"name":"default","template":"D"}]}"#
    let listed = try description(["tokenizer_config.json": list])
    #expect(listed.chatTemplate == "D" && listed.namedChatTemplates == [ChatTemplate(name: "tool use", text: "T")])
    let config = listed.tokenizerConfigJSON()
    #expect(config["chat_template"]?.array?.map { $0["name"]?.string } == ["default", "tool use"])
    #expect(config["chat_template"]?.array?.map { $0["template"]?.string } == ["D", "T"])
    // Files go before the list, as in transformers.
    let files = ["chat_template.jinja": "new", "tokenizer_config.json": list]
    #expect(try description(files).namedChatTemplates == [])
  }

  @Test func aFolderOfTemplatesIsCarriedThroughGGUF() throws {
    var model = try Checkpoint(path: Fixture.path("models/kjv-1m"))
    let text = Array("{{ messages }}".utf8)
    model.carriedFiles += [
      CarriedFile(name: "chat_template.jinja", bytes: Array("plain".utf8)),
      CarriedFile(name: "additional_chat_templates/rag-1.jinja", bytes: text),
    ]
    let folder = TemporaryFolder()
    let path = folder.file("model")
    try model.write(to: path, as: .huggingFace)
    _ = try folder.write("not a template", to: "model/additional_chat_templates/notes.txt")
    let gguf = folder.file("model.gguf")
    try Checkpoint(path: path).write(to: gguf, as: .gguf)
    let written = try Checkpoint(path: gguf)
    #expect(written.ggufMetadata["tokenizer.chat_template"]?.string == "plain")
    #expect(written.ggufMetadata["tokenizer.chat_template.rag_1"]?.string == "{{ messages }}")
    #expect(written.ggufMetadata["tokenizer.chat_templates"]?.rawStrings?.map { $0.description } == ["rag_1"])
    // Over the first, which is replaced with its folder.
    var options = WriteOptions()
    options.overwrites = true
    try written.write(to: path, as: .huggingFace, options)
    #expect(try FileSystem.names(in: FileSystem.join(path, "additional_chat_templates")) == ["rag-1.jinja"])
    #expect(try FileSystem.read(FileSystem.join(path, "additional_chat_templates/rag-1.jinja")) == text)
    let named = try Checkpoint(path: path).tokenizerDescription()?.namedChatTemplates
    #expect(named == [ChatTemplate(name: "rag-1", text: "{{ messages }}")])
  }

  @Test func templatesOfAForeignGGUFAreListed() throws {
    let metadata: OrderedDictionary<String, GGUFValue> = [
      "tokenizer.ggml.tokens": GGUFValue(["a", "b"]), "tokenizer.ggml.pre": GGUFValue("gpt-2"),
      "tokenizer.chat_templates": GGUFValue(["rag", "gone"]), "tokenizer.chat_template.rag": GGUFValue("R"),
    ]
    let read = try TokenizerDescription(ggufModel: "gpt2", metadata: metadata)
    #expect(read.chatTemplate == nil && read.namedChatTemplates == [ChatTemplate(name: "rag", text: "R")])
  }
}
