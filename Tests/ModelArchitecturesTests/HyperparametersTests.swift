import ModelArchitectures
import Testing

@Suite struct HyperparametersTests {
  @Test func layersKeepTheKindOfTheirOriginalPlace() {
    var model = Architecture.gemma2.defaults
    model.layerCount = 4
    model.layerKinds = Architecture.gemma2.layerPattern.kinds(layerCount: 4, firstSlidingLayer: nil)
    let kept = model.keeping(layers: [1, 2, 3])
    #expect(kept.layerCount == 3)
    #expect(kept.layerKinds == [.full, .sliding, .full])
    #expect((0..<4).map(kept.window(ofLayer:)) == [nil, 4096, nil, nil])
  }

  @Test func patternsNameTheKindOfEveryLayer() {
    #expect(LayerPattern.allFull.kinds(layerCount: 2, firstSlidingLayer: 0) == [.full, .full])
    #expect(LayerPattern.slidingThenFull.kinds(layerCount: 3, firstSlidingLayer: nil) == [.sliding, .full, .sliding])
    let configured = LayerPattern.slidingFromConfigured(firstLayer: 28, window: 8)
    #expect(configured.kinds(layerCount: 2, firstSlidingLayer: nil) == [.full, .full])
    #expect(configured.kinds(layerCount: 2, firstSlidingLayer: 1) == [.full, .sliding])
    #expect(LayerPattern.allFull.kinds(layerCount: -1, firstSlidingLayer: nil).isEmpty)
  }

  @Test func everyActivationIsFoundByAllItsNames() {
    for activation in Activation.allCases {
      for name in activation.huggingFaceNames { #expect(Activation(huggingFaceName: name) == activation) }
    }
    #expect(Activation(huggingFaceName: "mish") == nil)
  }

  @Test func attentionScalesByTheQueryScalarOrElseTheHeadSize() {
    var model = Hyperparameters()
    model.headDimension = 16
    #expect(model.attentionScale == 0.25)
    model.queryScalar = 4
    #expect(model.attentionScale == 0.5)
  }
}
