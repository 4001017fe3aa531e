// From Sources/ModelTokenizers/README.md.
import ModelTokenizers
import TensorFormats

func modelTokenizersExample() throws {
  let description = try TokenizerDescription(
    tokenizerJSON: JSON(parsing: FileSystem.read("model/tokenizer.json")),
    configJSON: JSON(parsing: FileSystem.read("model/tokenizer_config.json")))
  let tokenizer = try Tokenizer(description)
  let ids = tokenizer.encode("Hello, world!")
  print(ids, tokenizer.decode(ids, skipsSpecialTokens: true))
}
