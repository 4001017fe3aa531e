/// Where the fixtures are.
public enum Fixture {
  /// The path of a file under `Fixtures/`, for example `safetensors/valid/x.safetensors`.
  public static func path(_ relative: String) -> String {
    let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return tests.joined(separator: "/") + "/Fixtures/" + relative
  }
}
