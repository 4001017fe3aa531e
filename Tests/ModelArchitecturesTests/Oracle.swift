import MTConvTestSupport
import TensorFormats

/// A JSON file of Fixtures/architectures.
func oracle(_ name: String) throws -> JSON {
  try JSON(parsing: FileSystem.read(Fixture.path("architectures/\(name).json")))
}
