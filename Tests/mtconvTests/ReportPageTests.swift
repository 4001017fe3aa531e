import Foundation
import MTConvTestSupport
import Testing

@testable import mtconv

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct ReportPageTests {
  private let folder = TemporaryFolder()
  private static let hostile = #"<script>alert("1")</script>&amp;']]>\#u{202E}"#

  /// Names of elements and values of `id` and `href`, in order; nil for what is no XML.
  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [String] = []
    var ids: [String] = []
    var links: [String] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String] = [:]
    ) {
      elements.append(name)
      attributes["id"].map { ids.append($0) }
      attributes["href"].map { links.append($0) }
    }

    init?(_ html: String) {
      super.init()
      // The declaration of HTML is not one of XML.
      let parser = XMLParser(data: Data(html.dropFirst("<!DOCTYPE html>\n".count).utf8))
      parser.delegate = self
      guard parser.parse() else { return nil }
    }
  }

  private func page() throws -> ReportPage { ReportPage(try ReportFiles(directory: folder.path).read()) }

  @Test func anEmptyFolderGivesAPageThatSaysWhatToDo() throws {
    let page = try page()
    #expect(page.sections.isEmpty)
    #expect(
      page.missing.map { $0.command.split(separator: " ")[1] } == ["calibrate", "plan", "plan", "verify", "eval"])
    let reader = try #require(Reader(page.html))
    #expect(!reader.elements.contains("nav") || reader.links.isEmpty)
    #expect(reader.ids.contains("missing"))
  }

  @Test func everythingThatIsThereIsShownAndNothingIsLoaded() throws {
    try fill()
    let page = try page()
    #expect(
      page.sections.map(\.id) == [
        "overview", "tasks", "layers", "depth", "heads", "neurons", "candidates", "healing", "training", "streams",
        "tensors",
      ])
    let html = page.html
    let reader = try #require(Reader(html))
    #expect(Set(reader.ids).count == reader.ids.count)
    #expect(reader.links.allSatisfy { $0.hasPrefix("#") && reader.ids.contains(String($0.dropFirst())) })
    #expect(Set(["script", "link", "img", "iframe", "object"]).isDisjoint(with: reader.elements))
    let addresses = html.components(separatedBy: "http").dropFirst()
    #expect(addresses.allSatisfy { $0.hasPrefix("://www.w3.org/") }, "names of vocabularies only")
    #expect(!html.contains("@import") && !html.contains("url(h"))
    // A figure has one drawing, which says what it is; a table has as many cells in each row.
    let figures = html.components(separatedBy: "<figure>").count - 1
    #expect(figures == html.components(separatedBy: "role=\"img\"").count - 1)
    #expect(figures >= 14)
  }

  @Test func namesOutOfFilesStayText() throws {
    try fill()
    let html = try page().html
    #expect(!html.contains("<script") && !html.contains("\u{202E}"))
    #expect(html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;&#39;]]&gt;\u{FFFD}"))
  }

  @Test func theSamePageIsMadeAgain() throws {
    try fill()
    #expect(try page().html == page().html)
  }

  @Test(arguments: [
    ("verification.json", "{", "is not JSON"),
    ("verification.json", "{}", "verification.json': key 'passes' is missing"),
    ("healing.json", #"{"steps": 3}"#, "steps"), ("candidates.json", "[{}]", "missing"),
    ("plan.json", #"{"parentLayerCount": 3, "keptLayers": [0], "criterion": "explicit"}"#, "12 layers"),
    (
      "plan.json", #"{"parentLayerCount": 9223372036854775807, "keptLayers": [0], "criterion": "explicit"}"#,
      "expected at most 65536"
    ),
  ]) func saysWhichFileCannotBeRead(_ name: String, _ text: String, _ message: String) throws {
    try fill()
    try folder.write(text, to: name)
    let error = #expect(throws: (any Error).self) { _ = try ReportFiles(directory: folder.path).read() }
    #expect("\(error.map { "\($0)" } ?? "")".contains(message))
  }

  @Test func candidatesOfAnySizeAreDrawn() throws {
    try fill()
    let text = try folder.text(of: "candidates.json")
    try folder.write(
      text.replacing(": 900", with: ": \(Int.max)").replacing(": 950", with: ": \(Int.min)"), to: "candidates.json")
    #expect(try page().sections.map(\.id).contains("candidates"))
  }

  /// What calibrate and plan write, made once.
  private static let measured = Result {
    let folder = TemporaryFolder()
    let stats = folder.file("stats.safetensors")
    let run = try ProgramRun(
      "calibrate", "models/kjv-1m", "--text", "models/kjv-1m/calibration.txt", "--context", "32", "--chunks", "1",
      "--layer-loss", "-q", "-o", stats)
    #expect(run.status == 0, "\(run.errors)")
    let plan = try ProgramRun(
      "plan", "models/kjv-1m", "--stats", stats, "--drop-layers", "3", "--ffn", "128", "-o", folder.file("plan.json"),
      "--json")
    try folder.write(plan.output, to: "plan-report.json")
    return Dictionary(uniqueKeysWithValues: try folder.names().map { ($0, try folder.bytes(of: $0)) })
  }

  /// A folder with one of everything; names are what strangers might write.
  private func fill() throws {
    for (name, bytes) in try Self.measured.get() { try folder.write(bytes, to: name) }
    let name = JSONText.quoted(Self.hostile)
    let candidates = [(900, 3.1, false), (950, 2.9, true), (970, 3.3, false)].map { parameters, loss, isChosen in
      """
      {"name": \(name), "sizes": {"layers": 9, "hidden": 96, "intermediate": 128, "queryHeads": 3, "keyValueHeads": 1},
       "parameters": \(parameters), "bytes": 2000, "flops": 5, "kvBytes": 6, "context": 256, "estimate": 0.5,
       "loss": \(loss), "isChosen": \(isChosen)}
      """
    }
    try folder.write(#"{"goal": "x", "candidates": [\#(candidates.joined(separator: ","))]}"#, to: "candidates.json")
    try folder.write(
      """
      {"steps": [
        {"kind": "output", "layer": 0, "parentLayer": 0, "errorBefore": 0.5, "errorAfter": 0.25, "isKept": true},
        {"kind": "output", "layer": 1, "parentLayer": 2, "errorBefore": 0.1, "errorAfter": 0.3, "isKept": false,
         "reason": \(name)},
        {"kind": \(name), "layer": null, "errorBefore": null, "errorAfter": 1, "isKept": true}], "heldOutTokens": 64}
      """, to: "healing.json")
    try folder.write(verification(name), to: "verification.json")
    let score = #"{"value": 0.5, "standardError": 0.1}"#
    try folder.write(
      """
      {"model": \(name), "data": "x", "seconds": 1, "score": {"task": "arc", "itemCount": 8, "shotCount": 0,
       "accuracy": \(score), "normalizedAccuracy": \(score), "subjects": [], "truncatedCount": 0}}
      """, to: "eval-arc.json")
    let look = #"{"divergence": 0.5, "perplexity": {"value": 20, "standardError": null}}"#
    try folder.write(
      #"{"step": 1, "loss": 3}"# + "\n" + #"{"step": 1, "heldOut": \#(look)}"# + "\n" + #"{"step": 2, "loss": 2.5}"#
        + "\n" + #"{"step": 2, "heldOut": \#(look)}"# + "\n" + #"{"step": 3, "lo"#, to: "log.jsonl")
  }

  private func verification(_ name: String) -> String {
    let score = #"{"value": 12.5, "standardError": 1}"#
    let tensors = [("model.layers.0.mlp.up_proj.weight", "31.5"), ("model.layers.1.mlp.up_proj.weight", "null")].map {
      #"{"name": "\#($0)", "shape": [1], "maximumError": 0.1, "relativeError": 0.02, "signalToNoise": \#($1), "cosine": 1}"#
    }
    return """
      {"passes": true, "correctness": {"passes": true, "reference": \(name), "normalizedError": 0},
       "quality": {"comparison": {"divergence": 0.1, "topAgreement": 0.9, "tokenCount": 10}, "perplexityRatio": null,
        "parentPerplexity": \(score), "perplexity": {"value": null, "standardError": null}, "parentByteCount": 10,
        "byteCount": 5, "parentParameterCount": 4, "parameterCount": 2},
       "layers": [{"layer": 0, "parentLayer": 0, "cosine": 1}, {"layer": null, "parentLayer": null, "cosine": 0.9}],
       "tensors": [\(tensors.joined(separator: ",")), {"name": \(name), "shape": [], "maximumError": null,
        "relativeError": null, "signalToNoise": null, "cosine": null}]}
      """
  }
}

/// A string as JSON spells it.
private enum JSONText {
  static func quoted(_ text: String) -> String {
    "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
  }
}
