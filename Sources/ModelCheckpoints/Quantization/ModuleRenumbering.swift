package import ModelArchitectures
internal import OrderedCollections
internal import TensorFormats

/// What lists of modules become when layers are dropped and the others get new numbers.
///
/// An engine believes these lists: the codes of a module that is wrongly on one are read as weights.
struct ModuleRenumbering {
  /// `model.layers.5` of the parent, and what it is called afterwards; nil if it is dropped.
  private let layers: [(old: String, new: String?)]
  /// Linear modules that are kept.
  private let modules: [(old: String, new: String)]

  /// - Parameter kept: for each layer of `result` its number in `parent`.
  init(from parent: Checkpoint, to result: Checkpoint, kept: [Int]) {
    let linear = result.weights.keys.filter { $0.role.isLinear && $0.part == .weight }
    modules = linear.map { key in
      let source = WeightKey(key.role, layer: key.layer.map { kept[$0] })
      return (parent.moduleName(of: source), result.moduleName(of: key))
    }
    let name = parent.moduleName(of: WeightKey(.query, layer: 0))
    let prefix = name.split(separator: ".").prefix { $0 != "0" }.joined(separator: ".")
    layers = (0..<parent.hyperparameters.layerCount).map { old in
      ("\(prefix).\(old)", kept.firstIndex(of: old).map { "\(prefix).\($0)" })
    }
  }

  /// What stands for an entry of a list afterwards. A name gets the new number of its layer. A pattern stays while it means the same
  /// modules, and otherwise gives way to their names.
  func entries(for entry: String) -> [String] {
    let pattern = ModulePattern(entry)
    if pattern.isName {
      guard let (old, new) = layers.first(where: { entry == $0.old || entry.hasPrefix($0.old + ".") }) else {
        return [entry]
      }
      return new.map { [$0 + entry.dropFirst(old.count)] } ?? []
    }
    if modules.allSatisfy({ pattern.matches($0.old) == pattern.matches($0.new) }) { return [entry] }
    return modules.filter { pattern.matches($0.old) }.map(\.new)
  }

  /// A configuration with all its lists of modules, those in objects within it too.
  func applied(to json: JSON) -> JSON {
    if let array = json.array { return .array(array.map(applied)) }
    guard let object = json.object else { return json }
    return .object(JSONObject(uniqueKeysWithValues: object.map { key, value in (key, applied(to: value, of: key)) }))
  }

  private func applied(to value: JSON, of key: String) -> JSON {
    guard Self.listKeys.contains(key), let list = value.array else { return applied(to: value) }
    return .array(list.flatMap { $0.string.map { entries(for: $0).map { .string($0) } } ?? [$0] })
  }

  /// In the words of compressed-tensors, vLLM, transformers and ModelOpt.
  private static let listKeys: Set = [
    "ignore", "ignored_layers", "modules_to_not_convert", "modules_to_convert", "exclude_modules", "targets",
  ]
}

extension Checkpoint {
  /// Gives what is said of the quantization the layer numbers of this model, which has the layers `kept` of `parent`.
  mutating func renumberModules(of parent: Checkpoint, kept: [Int]) throws {
    guard quantization != nil, kept != Array(0..<parent.hyperparameters.layerCount) else { return }
    let renumbering = ModuleRenumbering(from: parent, to: self, kept: kept)
    quantization!.ignored = quantization!.ignored.flatMap(renumbering.entries)
    for key in ["quantization_config", "compression_config"] {
      config.object[key] = config.object[key].map { renumbering.applied(to: $0) }
    }
    let name = QuantizationLayout.modelOptFileName
    guard let index = carriedFiles.firstIndex(where: { $0.name == name }) else { return }
    let file = try ModelConfig(parsing: carriedFiles[index].bytes(), name: name)
    let bytes = renumbering.applied(to: .object(file.object)).serializedBytes(.indented) + [0x0A]
    carriedFiles[index] = CarriedFile(name: name, bytes: bytes)
  }

  /// The module of a weight, as lists name it: `model.layers.3.self_attn.q_proj`.
  package func moduleName(of key: WeightKey) -> String {
    let name = huggingFaceName(of: key)
    return name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
  }
}
