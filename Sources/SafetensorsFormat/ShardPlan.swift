public import TensorFormats

/// Which tensor goes into which file.
public struct ShardPlan: Sendable {
  public struct Shard: Hashable, Sendable {
    public let fileName: String
    /// In the order they were given; a `SafetensorsWriter` brings them into the order of the file.
    public let tensors: [TensorInfo]
  }

  public let shards: [Shard]
  /// Bytes of all tensors together.
  public let totalSize: Int
  /// Elements of all tensors together.
  public let totalElements: Int

  /// Fills files in the order of `tensors`, each with as many as fit into `maximumBytes` of data.
  ///
  /// A tensor larger than that gets a file of its own. One file is called `model.safetensors`, several
  /// `model-00001-of-00005.safetensors` and so on. The same tensors in the same order are shared out as huggingface_hub does
  /// (`split_state_dict_into_shards_factory`).
  /// - Parameter maximumBytes: nil for one file, whatever its size.
  /// - Throws: `validationOverflow` if a size does not fit, `misalignedSlice` if packed elements do not fill whole bytes.
  public init(tensors: [TensorInfo], maximumBytes: Int? = nil, stem: String = "model") throws(SafetensorsError) {
    let limit = maximumBytes ?? .max
    var groups: [[TensorInfo]] = []
    var current: [TensorInfo] = []
    var currentSize = 0
    var sizes = SafetensorsTotals()
    for tensor in tensors {
      let size = try sizes.add(tensor)
      // As in huggingface_hub, an oversized tensor does not close the file that is being filled.
      if size > limit {
        groups.append([tensor])
        continue
      }
      if size > limit - currentSize {
        groups.append(current)
        current = []
        currentSize = 0
      }
      current.append(tensor)
      currentSize += size
    }
    if !current.isEmpty || groups.isEmpty { groups.append(current) }
    shards = groups.enumerated().map { index, group in
      let name =
        groups.count == 1
        ? "\(stem).safetensors" : ShardIndex.shardName(index + 1, of: groups.count, stem: stem)
      return Shard(fileName: name, tensors: group)
    }
    totalSize = sizes.bytes
    totalElements = sizes.elements
  }

  /// Whether there are several files, and so an index.
  public var isSharded: Bool { shards.count > 1 }

  /// The index of the files.
  /// - Parameter totalParameters: Parameters of the model, where that is not the number of elements (quantized weights have scales).
  public func index(totalParameters: Int? = nil) throws(SafetensorsError) -> ShardIndex {
    var fileNames: [String: String] = [:]
    for shard in shards {
      for tensor in shard.tensors where fileNames.updateValue(shard.fileName, forKey: tensor.name) != nil {
        throw SafetensorsError(.duplicateTensor, "tensor \(quoted(tensor.name)) is given twice")
      }
    }
    return try ShardIndex(
      fileNames: fileNames, totalSize: totalSize, totalParameters: totalParameters ?? totalElements)
  }
}
