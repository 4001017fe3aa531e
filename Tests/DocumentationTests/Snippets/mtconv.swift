// From Sources/mtconv/README.md.
import ModelCheckpoints

@testable import mtconv

struct CountReport: Report {
  let parameters: Int
  var text: String { NumberText.count(parameters) }
}

func countParameters(_ path: String, asJSON: Bool) throws {
  try CountReport(parameters: Checkpoint(path: path).parameterCount).print(asJSON: asJSON)
}
