/// Shapes in an area whose units are pixels on a wide screen. Colours are classes of the page's style, so that they follow its theme.
struct Drawing {
  let width: Double
  let height: Double
  private(set) var shapes: [Markup] = []

  enum Anchor: String { case start, middle, end }

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// - Parameter label: what the drawing shows, for those who cannot see it.
  func markup(label: String) -> Markup {
    Markup(
      "svg",
      [
        "viewBox": "0 0 \(Self.text(width)) \(Self.text(height))", "role": "img", "aria-label": label,
        "style": "max-width:\(Self.text(width))px;min-width:\(Self.text(min(width, Self.readableWidth)))px",
        "xmlns": "http://www.w3.org/2000/svg",
      ], shapes)
  }

  /// A rectangle; `title` is shown where the pointer rests.
  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, class style: String, title: String? = nil,
    opacity: Double? = nil
  ) {
    var attributes = [
      ("x", Self.text(x)), ("y", Self.text(y)), ("width", Self.text(max(0, width))),
      ("height", Self.text(max(0, height))), ("class", style),
    ]
    if let opacity { attributes.append(("fill-opacity", NumberText.fixed(opacity, 3))) }
    add("rect", attributes, title)
  }

  mutating func circle(x: Double, y: Double, radius: Double, class style: String, title: String? = nil) {
    add("circle", [("cx", Self.text(x)), ("cy", Self.text(y)), ("r", Self.text(radius)), ("class", style)], title)
  }

  mutating func line(x1: Double, y1: Double, x2: Double, y2: Double, class style: String) {
    add(
      "line",
      [("x1", Self.text(x1)), ("y1", Self.text(y1)), ("x2", Self.text(x2)), ("y2", Self.text(y2)), ("class", style)])
  }

  mutating func polyline(_ points: [(x: Double, y: Double)], class style: String, title: String? = nil) {
    let path = points.map { "\(Self.text($0.x)),\(Self.text($0.y))" }.joined(separator: " ")
    add("polyline", [("points", path), ("class", style)], title)
  }

  mutating func text(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, class style: String = "label", turned: Bool = false
  ) {
    var attributes = [
      ("x", Self.text(x)), ("y", Self.text(y)), ("text-anchor", anchor.rawValue), ("class", style),
    ]
    if turned { attributes.append(("transform", "rotate(-90 \(Self.text(x)) \(Self.text(y)))")) }
    shapes.append(.element("text", attributes: attributes.map { ($0.0, $0.1) }, children: [.text(text)]))
  }

  private mutating func add(_ name: String, _ attributes: [(String, String)], _ title: String? = nil) {
    let children = title.map { [Markup("title", [:], .text($0))] } ?? []
    shapes.append(.element(name, attributes: attributes.map { ($0.0, $0.1) }, children: children))
  }

  /// On a narrow screen a drawing is scrolled, not made smaller than this.
  private static let readableWidth = 620.0

  /// Two decimals are a fiftieth of what can be seen.
  private static func text(_ value: Double) -> String {
    let text = NumberText.fixed(value, 2)
    guard text.contains(".") else { return text }
    return String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
  }
}
