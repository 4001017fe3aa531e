import ModelCompression
import Testing

@Suite struct PruningPlanTests {
  @Test func keepsTheMostInfluentialLayersInTheirOrder() throws {
    let influence = BlockInfluence(scores: [0.9, 0.1, 0.5, 0.2, 0.8], tokenCount: 10)
    let plan = try PruningPlan(keeping: 3, by: influence)
    #expect(plan.keptLayers == [0, 2, 4])
    #expect(plan.droppedLayers == [1, 3])
  }
}
