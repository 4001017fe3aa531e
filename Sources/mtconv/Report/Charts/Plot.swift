/// A chart with two scales: a frame of thin lines, their labels, and whatever is drawn into it.
struct Plot {
  let x: ChartScale
  let y: ChartScale
  var drawing: Drawing
  private let left: Double
  private let top: Double
  private let plotWidth: Double
  private let plotHeight: Double

  /// - Parameter isCategorical: whether `x` counts things that need no lines of their own.
  init(
    x: ChartScale, y: ChartScale, xTitle: String, yTitle: String, width: Double = 1000, height: Double = 300,
    isCategorical: Bool = true
  ) {
    self.x = x
    self.y = y
    let labels = y.ticks.map { y.label($0).count }.max() ?? 1
    left = 34 + 7.2 * Double(labels)
    top = 12
    plotWidth = width - left - 28
    plotHeight = height - top - 48
    drawing = Drawing(width: width, height: height)
    for tick in y.ticks {
      drawing.line(x1: left, y1: at(y: tick), x2: left + plotWidth, y2: at(y: tick), class: "grid")
      drawing.text(y.label(tick), x: left - 8, y: at(y: tick) + 4, anchor: .end)
    }
    for tick in x.ticks {
      if !isCategorical { drawing.line(x1: at(x: tick), y1: top, x2: at(x: tick), y2: bottom, class: "grid") }
      drawing.text(x.label(tick), x: at(x: tick), y: bottom + 18, anchor: .middle)
    }
    drawing.line(x1: left, y1: bottom, x2: left + plotWidth, y2: bottom, class: "axis")
    drawing.text(xTitle, x: left + plotWidth / 2, y: height - 6, anchor: .middle, class: "title")
    drawing.text(yTitle, x: 14, y: top + plotHeight / 2, anchor: .middle, class: "title", turned: true)
  }

  private var bottom: Double { top + plotHeight }

  func at(x value: Double) -> Double { left + plotWidth * x.share(value) }
  func at(y value: Double) -> Double { bottom - plotHeight * y.share(value) }

  /// A bar from the lower end at a whole number of `x`.
  mutating func bar(at position: Double, _ value: Double, share: Double = 0.72, class style: String, title: String) {
    guard value.isFinite else { return }
    let width = (at(x: x.low + 1) - at(x: x.low)) * share
    let zero = min(bottom, at(y: max(0, y.low)))
    let end = at(y: value)
    drawing.rectangle(
      x: at(x: position) - width / 2, y: min(zero, end), width: width, height: max(abs(zero - end), 1), class: style,
      title: title)
  }

  mutating func dot(_ xValue: Double, _ yValue: Double, radius: Double = 4, class style: String, title: String) {
    guard xValue.isFinite, yValue.isFinite else { return }
    drawing.circle(x: at(x: xValue), y: at(y: yValue), radius: radius, class: style, title: title)
  }

  /// A line through the points that are numbers.
  mutating func line(_ points: [(x: Double, y: Double)], class style: String, title: String? = nil) {
    let drawn = points.filter { $0.x.isFinite && $0.y.isFinite }.map { (x: at(x: $0.x), y: at(y: $0.y)) }
    guard drawn.count > 1 else { return }
    drawing.polyline(drawn, class: style, title: title)
  }

  /// A line from the bottom to the top, with a name beside its upper end.
  mutating func rule(x value: Double, _ name: String, class style: String = "rule") {
    drawing.line(x1: at(x: value), y1: top, x2: at(x: value), y2: bottom, class: style)
    let isRight = x.share(value) > 0.7
    drawing.text(
      name, x: at(x: value) + (isRight ? -6 : 6), y: top + 12, anchor: isRight ? .end : .start, class: "note")
  }

  /// A line from one side to the other.
  mutating func rule(y value: Double, _ name: String, class style: String = "rule") {
    drawing.line(x1: left, y1: at(y: value), x2: left + plotWidth, y2: at(y: value), class: style)
    drawing.text(name, x: left + plotWidth - 4, y: at(y: value) - 5, anchor: .end, class: "note")
  }
}
