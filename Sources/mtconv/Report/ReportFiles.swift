internal import ModelArchitectures
internal import ModelCheckpoints
internal import ModelCompression
internal import TensorFormats

/// Finds what a report is made of: in a folder under the names that the commands' help proposes, or where options say.
struct ReportFiles {
  let directory: String
  /// Paths given by name of the file they stand for.
  var given: [Name: String] = [:]
  var evaluations: [String] = []
  /// The parent, for the shape of its heads.
  var model: String?

  enum Name: String, CaseIterable {
    case recipe = "mtconv.json"
    case statistics = "stats.safetensors"
    case plan = "plan.json"
    case planReport = "plan-report.json"
    case candidates = "candidates.json"
    case healing = "healing.json"
    case verification = "verification.json"
    case stages = "stages.json"
    case training = "log.jsonl"
  }

  /// - Throws: for a file that was named and is not there, and for one that is not what its name says.
  func read() throws -> ReportInput {
    let names = try FileSystem.names(in: directory)
    var input = ReportInput(name: FileSystem.baseName(directory))
    input.recipe = try decoded(.recipe)
    input.statistics = try path(.statistics).map { try StatisticsFile(path: $0) }
    // A recipe says by itself what was cut; a plan beside it may be another run's.
    let plan = input.recipe == nil ? path(.plan) : given[.plan]
    input.plan = try plan.map { try PruningPlan(parsing: FileSystem.read($0), name: $0) }
    input.depth = try json(.planReport).flatMap { try $0.json["depth"].map { try decoded($0, in: path(.planReport)!) } }
    input.candidates = try candidates()
    if says("healing", input.recipe, .healing) { input.healing = try decoded(.healing) }
    // compress puts the verification into its own report.
    input.verification = try json(.verification).map { try decoded($0.json["verification"] ?? $0.json, in: $0.path) }
    input.stages = try decoded(.stages) ?? []
    let found = names.filter { $0.hasPrefix("eval") && $0.hasSuffix(".json") }
    // Other programs write files of such names, too.
    input.evaluations =
      try evaluations.isEmpty
      ? found.compactMap { try? decoded(Self.json(at: FileSystem.join(directory, $0)), in: $0) }
      : evaluations.map { try decoded(Self.json(at: $0), in: $0) }
    if says("distillation", input.recipe, .training) { input.training = try training() }
    input.heads = try heads(input)
    try input.check()
    return input
  }

  /// Whether a step belongs to the model: its recipe says so, or there is none, or its file was named.
  private func says(_ method: String, _ recipe: Recipe?, _ name: Name) -> Bool {
    guard let recipe, given[name] == nil else { return true }
    return recipe.overlay?.method.contains(method) ?? false
  }

  private func path(_ name: Name) -> String? {
    if let path = given[name] { return path }
    let path = FileSystem.join(directory, name.rawValue)
    return FileSystem.kind(of: path) == .file ? path : nil
  }

  private func json(_ name: Name) throws -> (path: String, json: JSON)? {
    try path(name).map { ($0, try Self.json(at: $0)) }
  }

  private static func json(at path: String) throws -> JSON {
    let bytes = try FileSystem.read(path)
    do {
      return try JSON(parsing: bytes)
    } catch {
      throw CompressionError(.wrongRecipe, "'\(path)' is not JSON: \(error)")
    }
  }

  private func decoded<Value: Decodable>(_ name: Name) throws -> Value? {
    try json(name).map { try decoded($0.json, in: $0.path) }
  }

  private func decoded<Value: Decodable>(_ json: JSON, in path: String) throws -> Value {
    do {
      return try json.decoded()
    } catch {
      throw CompressionError(.wrongRecipe, "'\(path)': \(decodingMessage(error))")
    }
  }

  /// The candidates, alone or with what they are for.
  private func candidates() throws -> CandidateList? {
    guard let (path, json) = try json(.candidates) else { return nil }
    guard json.array != nil else { return try decoded(json, in: path) }
    return CandidateList(candidates: try decoded(json, in: path))
  }

  private func training() throws -> [TrainingRecord] {
    // In the work folder of compress, a distillation has a folder of its own.
    let own = FileSystem.join(FileSystem.join(directory, CompressJob.training), Distiller.Work.logName)
    guard let path = path(.training) ?? (FileSystem.kind(of: own) == .file ? own : nil) else { return [] }
    let lines = try FileSystem.read(path).split(separator: UInt8(ascii: "\n"))
    // The last line of a run that goes on may not be complete.
    return lines.compactMap { line in (try? JSON(parsing: Array(line))).flatMap { try? $0.decoded() } }
  }

  /// Sizes of the parent's heads: from the parent, the plan, or the pruned model itself, whose heads have the same width.
  private func heads(_ input: ReportInput) throws -> ReportInput.HeadShape? {
    func shape(_ sizes: Hyperparameters) -> ReportInput.HeadShape {
      ReportInput.HeadShape(headDimension: sizes.headDimension, keyValueHeadCount: sizes.keyValueHeadCount)
    }
    if let model { return shape(try Checkpoint(path: model).hyperparameters) }
    if let parent = input.pruning?.parent {
      return ReportInput.HeadShape(headDimension: parent.headDimension, keyValueHeadCount: parent.keyValueHeadCount)
    }
    guard names(of: directory).contains("config.json"), let pruned = try? Checkpoint(path: directory) else {
      return nil
    }
    var result = shape(pruned.hyperparameters)
    let cutsGroups = input.pruning?.keptIndices.keys.contains { $0.axis == .keyValueHead } ?? false
    if cutsGroups { result.keyValueHeadCount = nil }
    return result
  }

  private func names(of directory: String) -> [String] { (try? FileSystem.names(in: directory)) ?? [] }
}
