/// Programs of this package, built into the folder that the tests run from.
public enum BuiltProgram {
  public static func path(_ name: String) -> String {
    let runner = CommandLine.arguments[0]
    let bundle = runner.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    // On macOS the test runner sits inside Name.xctest/Contents/MacOS.
    let folder = bundle.firstIndex { $0.hasSuffix(".xctest") }.map { bundle[..<$0] } ?? bundle
    return folder.joined(separator: "/") + "/" + name
  }
}
