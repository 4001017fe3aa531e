import MTConvTestSupport
import ModelArchitectures
import ModelCheckpoints
import TensorFormats

@testable import ModelCompression

/// A pico without its middle layers that learns from the whole: what Fixtures/generate/distillation.py does in torch.
struct Learner {
  let teacher: Checkpoint
  let student: Checkpoint
  let plan: PruningPlan
  let data: TrainingData
  let heldOut: CalibrationSet

  init(_ family: String = "llama") throws {
    teacher = try Pico.checkpoint(family)
    let count = teacher.hyperparameters.layerCount
    plan = PruningPlan(parentLayerCount: count, keptLayers: [0, count - 1], criterion: .explicit)
    student = try teacher.pruned(by: plan)
    heldOut = try Pico.tokens(family)
    // Both sequences make one row, packed.
    data = try TrainingData(documents: heldOut.sequences, context: heldOut.tokenCount)
  }

  /// Short rows, so that steps differ.
  func rows(of length: Int) throws -> TrainingData { try TrainingData(documents: heldOut.sequences, context: length) }

  var settings: DistillationSettings {
    var settings = DistillationSettings()
    settings.context = data.context
    settings.warmUpSteps = 0
    settings.learningRate = 2e-3
    settings.minimumLearningRate = 2e-3
    settings.clippingNorm = 0.5
    settings.steps = 10
    settings.evaluationInterval = 2
    return settings
  }

  func distiller(
    _ settings: DistillationSettings, _ folder: TemporaryFolder, on data: TrainingData? = nil, resuming: Bool = false,
    cache: TeacherCache.Content? = nil
  ) throws -> Distiller {
    var work = Distiller.Work(folder: folder.path)
    work.resumes = resuming
    work.cache = cache
    return try Distiller(
      student, from: settings.needsTeacher ? teacher : nil, plan: plan, on: data ?? self.data, heldOut: heldOut,
      settings: settings, work: work)
  }

  func pass(_ settings: DistillationSettings) throws -> TrainingPass {
    try TrainingPass(
      student, settings.needsTeacher ? Teacher(teacher) : nil, plan, data, settings)
  }
}
