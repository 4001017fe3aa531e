internal import GGUFFormat
internal import OrderedCollections
internal import TensorFormats

extension Checkpoint {
  /// The files that decide the numbers of a model as it was opened: configuration and weights.
  public func sourceFiles() throws -> [String] {
    switch fileFormat {
    case .gguf: return try GGUFFileSet(path: path).files.map(\.file.path)
    case .huggingFace:
      let weights = Set(weights.values.compactMap { ($0.values.source as? MappedTensor)?.path })
      return [FileSystem.join(path, "config.json")] + weights.sorted()
    }
  }

  /// The model's place on the Hugging Face hub, `organization/name`, if its path, configuration or metadata says so.
  public var hubName: String? {
    let stated =
      ggufMetadata["general.repo_url"]?.string ?? ggufMetadata["general.source.huggingface.repository"]?.string
    if let stated, let name = Self.hubName(ofURL: stated) { return name }
    // The cache of the hub: …/models--organization--name/snapshots/…
    for part in path.split(separator: "/") where part.hasPrefix("models--") {
      let parts = part.dropFirst("models--".count).split(separator: "--", omittingEmptySubsequences: false)
      if parts.count == 2 { return parts.joined(separator: "/") }
    }
    return config["_name_or_path"]?.string.flatMap(Self.hubName(ofURL:))
  }

  /// The licence that GGUF metadata states, under the names that model cards have for it: `license`, `license_name`,
  /// `license_link`.
  public var metadataLicence: [String: String] {
    let keys = [
      "license": "general.license", "license_name": "general.license.name", "license_link": "general.license.link",
    ]
    return keys.compactMapValues { ggufMetadata[$0]?.string }.filter { !$0.value.isEmpty }
  }

  /// `organization/name` alone or at the end of an address of the hub.
  private static func hubName(ofURL text: String) -> String? {
    let prefix = "https://huggingface.co/"
    let parts = (text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : text[...])
      .split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty && part.first != "."
        && part.utf8.allSatisfy {
          $0 < 128 && (Character(UnicodeScalar($0)).isLetter || (48...57).contains($0) || "-_.".utf8.contains($0))
        }
    }
    return parts.count == 2 && isPlain ? parts.joined(separator: "/") : nil
  }
}
