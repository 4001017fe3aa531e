public import ArgumentParser
public import ModelCompression

/// How much of an engine's arithmetic a forward pass has.
struct EmulationOptions: ParsableArguments {
  @Flag(
    name: .long,
    help:
      "Leave activations of FP8 models as they are; otherwise they are rounded as the engine does that runs the model.")
  var weightsOnly = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The key-value cache: auto, as the model says; fp8, E4M3 with the model's scales or 1; plain.",
      valueName: "format"))
  var kvCache: Emulation.Cache?

  var emulation: Emulation {
    Emulation(roundsActivations: !weightsOnly, cache: kvCache ?? (weightsOnly ? .plain : .auto))
  }
}

extension Emulation.Cache: ExpressibleByArgument {}
