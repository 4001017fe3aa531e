internal import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// Where the list of modules that are not quantized says something else than the tensors. Engines believe the list: they read codes as
  /// numbers, or look for scales that are not there.
  func quantizationWarnings() -> [String] {
    guard let quantization else { return [] }
    let patterns = quantization.ignored.map(ModulePattern.init)
    let names = quantization.ignored.filter { ModulePattern($0).isName }
    var (coded, plain): ([String], [String]) = ([], [])
    for (key, weight) in weights where key.role.isLinear && key.role != .head && key.part == .weight {
      let module = moduleName(of: key)
      let isListed = patterns.contains { $0.matches(module) }
      if weight.scale != nil {
        if isListed { coded.append(module) }
      } else if !isListed, !names.contains(where: { module.isWithin($0) }) {
        plain.append(module)
      }
    }
    if targetsSomeModules || quantization.ignored.isEmpty && coded.isEmpty { plain = [] }
    return [
      warning("is listed as not quantized, and its weights are codes", coded),
      warning("is not quantized, and no list says so", plain),
    ].compactMap(\.self)
  }

  private func warning(_ text: String, _ modules: [String]) -> String? {
    guard let first = modules.first else { return nil }
    let others = modules.count > 1 ? " (and \(modules.count - 1) more)" : ""
    return "module '\(first)' \(text)\(others): engines that go by the list read it wrongly"
  }

  /// Whether compressed-tensors names what is quantized, rather than all linear modules.
  private var targetsSomeModules: Bool {
    let groups = (config["quantization_config"] ?? config["compression_config"])?["config_groups"]?.object ?? [:]
    return groups.values.contains { group in
      group["targets"]?.array?.contains { $0.string != "Linear" } ?? false
    }
  }
}

extension String {
  /// Whether a reader that looks for `part` anywhere between dots finds it: transformers and vLLM do, `mlp` in `model.layers.0.mlp.up_proj`.
  fileprivate func isWithin(_ part: String) -> Bool { ".\(self).".contains(".\(part).") }
}
