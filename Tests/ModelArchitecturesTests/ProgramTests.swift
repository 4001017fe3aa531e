import ModelArchitectures
import ModelCheckpoints
import MTConvTestSupport
import Testing

@Suite struct ProgramTests {
  @Test(arguments: Pico.all) func everySiteIsWrittenOnceBeforeItIsRead(pico: Pico) throws {
    let model = try pico.checkpoint()
    let program = model.architecture.program(for: model.hyperparameters)
    #expect(program.blocks.count == model.hyperparameters.layerCount)
    check(program.prologue, known: [], last: .embedding)
    for block in program.blocks { check(block, known: [.blockInput], last: .blockOutput) }
    check(program.epilogue, known: [.blockInput], last: .finalHidden)
    check(program.head, known: [.finalHidden], last: .logits)
  }

  private func check(_ steps: [Step], known: Set<Site>, last: Site) {
    var known = known
    for step in steps {
      #expect(known.isSuperset(of: step.inputs), "\(step)")
      #expect(known.insert(step.output).inserted, "\(step)")
    }
    #expect(steps.last?.output == last)
  }

  @Test(arguments: Pico.all) func theStepsUseEveryWeightOfTheTableAndNoOther(pico: Pico) throws {
    let model = try pico.checkpoint()
    let program = model.architecture.program(for: model.hyperparameters)
    let steps = program.prologue + program.blocks[0] + program.epilogue + program.head
    let used = Set(steps.flatMap(keys))
    let specs = model.architecture.weightSpecs(for: model.hyperparameters)
    #expect(used == Set(specs.map { WeightKey($0.role, $0.part) }))
  }

  private func keys(_ step: Step) -> [WeightKey] {
    switch step {
    case .embed(let step): [WeightKey(step.weight)]
    case .norm(let step): [WeightKey(step.weight)] + (step.hasBias ? [WeightKey(step.weight, .bias)] : [])
    case .linear(let step): [WeightKey(step.weight)] + (step.hasBias ? [WeightKey(step.weight, .bias)] : [])
    case .rotate, .attend, .activate, .multiply, .add, .softcap: []
    }
  }

  @Test(arguments: Pico.all) func theProgramIsTheOneOfTheSnapshot(pico: Pico) throws {
    let description = ModelDescription(of: try pico.checkpoint())
    let text = description.program.map { section in
      "\(section.title)\n" + section.steps.map { "  \($0)\n" }.joined()
    }
    try Snapshot.check(text.joined(separator: "\n"), at: Fixture.path("snapshots/\(pico.name).txt"))
  }
}
