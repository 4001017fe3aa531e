// From Sources/ModelArchitectures/README.md.
import ModelArchitectures

func modelArchitecturesExample() throws {
  var sizes = Architecture.llama.defaults
  sizes.layerCount = 2
  sizes.hiddenSize = 64
  for step in Architecture.llama.program(for: sizes).blocks[0] { print(step) }
}
