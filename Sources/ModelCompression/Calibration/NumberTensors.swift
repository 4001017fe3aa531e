internal import ModelArchitectures
internal import OrderedCollections
internal import SafetensorsFormat
internal import TensorFormats

/// Vectors of numbers by name, to be written as a safetensors file.
struct NumberTensors {
  private var infos: [TensorInfo] = []
  private var bytes: [String: [UInt8]] = [:]

  mutating func add(_ values: [Double], _ name: String) {
    add(name, .f64, values.count, values.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) })
  }

  mutating func add(_ values: [Float], _ name: String) {
    add(name, .f32, values.count, values.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) })
  }

  mutating func add(_ values: [Int], _ name: String) {
    add(name, .i64, values.count, values.map { Int64($0).littleEndian }.withUnsafeBytes { Array($0) })
  }

  /// The tensors of a site.
  mutating func add(_ channels: ChannelStatistics, _ name: String) {
    for aggregate in Aggregate.allCases {
      add(channels.sums[aggregate], "\(name).\(aggregate.rawValue).sum")
      add(channels.squares[aggregate], "\(name).\(aggregate.rawValue).squares")
    }
    add(channels.totals, "\(name).total")
    add(channels.maxima, "\(name).maximum")
    add(channels.histogram.counts, "\(name).histogram")
    add([channels.sequenceCount, channels.tokenCount], "\(name).counts")
  }

  /// The tensors of the sites of one layer.
  mutating func add(_ sites: [Site: ChannelStatistics], layer: Int) {
    for (site, channels) in sites { add(channels, Self.name(site, layer: layer)) }
  }

  static func name(_ site: Site, layer: Int) -> String { "layers.\(layer).\(site.rawValue)" }

  func write(to path: String, metadata: OrderedDictionary<String, String>, overwrite: Bool) throws {
    let infos = infos.sorted { $0.name < $1.name }
    let writer = try SafetensorsWriter(tensors: infos, metadata: metadata)
    let output = try OutputFile(path: path, overwrite: overwrite, expectedSize: writer.fileSize)
    try writer.write(to: output) { info, sink in try bytes[info.name]!.withUnsafeBytes { try sink($0) } }
    try output.commit()
  }

  private mutating func add(_ name: String, _ format: ElementFormat, _ count: Int, _ data: [UInt8]) {
    infos.append(TensorInfo(name: name, format: format, shape: [count]))
    bytes[name] = data
  }
}

/// Vectors of numbers read back. Whatever is not as `NumberTensors` writes it is `CompressionError.wrongStatistics`.
struct NumberReader {
  let file: SafetensorsFile

  var path: String { file.file.path }

  func contains(_ name: String) -> Bool { file[name] != nil }

  func numbers(_ name: String, count: Int? = nil) throws -> [Double] {
    try values(name, .f64, count) { Double(bitPattern: UInt64(littleEndian: $0)) }
  }

  func floats(_ name: String, count: Int? = nil) throws -> [Float] {
    try values(name, .f32, count) { Float(bitPattern: UInt32(littleEndian: $0)) }
  }

  /// Counts of something: none is negative, and together they fit an `Int`.
  func counts(_ name: String, count: Int? = nil) throws -> [Int] {
    let values = try values(name, .i64, count) { Int64(littleEndian: $0) }.map { Int(exactly: $0) ?? -1 }
    var sum = 0
    for value in values {
      let (next, overflow) = sum.addingReportingOverflow(value)
      guard value >= 0, !overflow else {
        throw CompressionError(.wrongStatistics, "tensor '\(name)' of '\(path)' has a count of \(value)")
      }
      sum = next
    }
    return values
  }

  /// Statistics of a site; nil if the file has none of it.
  func channels(_ name: String) throws -> ChannelStatistics? {
    guard contains("\(name).maximum") else { return nil }
    let maxima = try floats("\(name).maximum")
    let count = maxima.count
    var sums = AggregateTable(channelCount: 0)
    var squares = sums
    for aggregate in Aggregate.allCases {
      sums[aggregate] = try numbers("\(name).\(aggregate.rawValue).sum", count: count)
      squares[aggregate] = try numbers("\(name).\(aggregate.rawValue).squares", count: count)
    }
    let counts = try counts("\(name).counts", count: 2)
    return ChannelStatistics(
      sequenceCount: counts[0], tokenCount: counts[1], sums: sums, squares: squares,
      totals: try numbers("\(name).total", count: count), maxima: maxima,
      histogram: MagnitudeHistogram(
        counts: try self.counts("\(name).histogram", count: MagnitudeHistogram.binCount)))
  }

  /// Statistics of the sites of one layer.
  func sites(layer: Int) throws -> [Site: ChannelStatistics] {
    var sites: [Site: ChannelStatistics] = [:]
    for site in ActivationStatistics.sites { sites[site] = try channels(NumberTensors.name(site, layer: layer)) }
    return sites
  }

  private func values<Bits: FixedWidthInteger, Value>(
    _ name: String, _ format: ElementFormat, _ count: Int?, _ value: (Bits) -> Value
  ) throws -> [Value] {
    guard let entry = file[name] else {
      throw CompressionError(.wrongStatistics, "'\(path)' has no tensor '\(name)'")
    }
    let shape = entry.info.shape
    guard entry.info.format == format, shape.count == 1, count == nil || shape[0] == count else {
      throw CompressionError(
        .wrongStatistics,
        "tensor '\(name)' of '\(path)' is \(entry.info.format) \(shape), expected \(format)"
          + " [\(count.map(String.init) ?? "n")]")
    }
    return file.withBytes(of: entry) { bytes in
      (0..<shape[0]).map { value(bytes.loadUnaligned(fromByteOffset: $0 * (Bits.bitWidth / 8), as: Bits.self)) }
    }
  }
}
