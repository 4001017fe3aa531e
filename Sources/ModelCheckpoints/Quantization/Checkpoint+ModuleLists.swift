package import ModelArchitectures
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
      partlyQuantizedSets,
    ].compactMap(\.self)
  }

  /// What vLLM refuses, in one sentence: sets of matrices that it runs as one, of which some are codes and some are not.
  package var partlyQuantizedSets: String? {
    let sets = (0..<hyperparameters.layerCount).flatMap { layer in
      WeightRole.fusedSets.map { $0.map { WeightKey($0, layer: layer) }.filter { weights[$0] != nil } }
    }
    let parts = sets.compactMap { set -> (plain: WeightKey, coded: WeightKey)? in
      guard let plain = set.first(where: { weights[$0]?.scale == nil }),
        let coded = set.first(where: { weights[$0]?.scale != nil })
      else { return nil }
      return (plain, coded)
    }
    guard let first = parts.first else { return nil }
    let others = parts.count > 1 ? " (and so in \(parts.count - 1) more sets)" : ""
    return
      "'\(moduleName(of: first.coded))' is quantized and '\(moduleName(of: first.plain))' is not\(others): vLLM runs them as one"
      + " matrix and refuses the model; leave all of a set as they are, or none"
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

extension WeightRole {
  /// Matrices that read the same, and that engines run as one.
  package static let fusedSets: [[WeightRole]] = [[.query, .key, .value], [.gate, .up]]
}

extension String {
  /// Whether a reader that looks for `part` anywhere between dots finds it: transformers and vLLM do, `mlp` in `model.layers.0.mlp.up_proj`.
  fileprivate func isWithin(_ part: String) -> Bool { ".\(self).".contains(".\(part).") }
}
