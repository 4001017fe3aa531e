/// Cells in rows and columns, the darker the more.
struct HeatMap {
  struct Cell {
    /// From 0 to 1; nil leaves the place empty.
    var shade: Double?
    var title: String
    /// Struck out, for what is dropped.
    var isDropped = false
    /// Framed, for what is best.
    var isRinged = false
    var style = "shade"
  }

  var rows: [(label: String, cells: [Cell])]
  var xTitle: String
  var yTitle: String
  /// Names of columns.
  var columnLabel: (Int) -> String = { "\($0)" }
  /// A wider gap after every so many columns.
  var groupSize: Int?

  func markup(label: String, maximumWidth: Double = 1000) -> Markup {
    let columns = rows.map(\.cells.count).max() ?? 0
    let left = 34 + 7.2 * Double(rows.map(\.label.count).max() ?? 1)
    let gaps = Double(groupSize.map { max(0, (columns - 1) / $0) } ?? 0) * Self.groupGap
    let size = min(48, max(4, (maximumWidth - left - 16 - gaps) / Double(max(columns, 1))))
    let height = min(max(size, 8), 22)
    let bottom = 8 + Double(rows.count) * height
    var drawing = Drawing(width: left + size * Double(columns) + gaps + 16, height: bottom + 44)
    // Every so many labels, so that they do not run into each other.
    let rowStep = max(1, Int((13 / height).rounded(.up)))
    let widest = (0..<columns).map { columnLabel($0).count }.max() ?? 1
    let columnStep = max(1, Int(((Double(widest) * 7.2 + 8) / size).rounded(.up)))
    for (row, content) in rows.enumerated() {
      let y = 8 + Double(row) * height
      if row.isMultiple(of: rowStep) { drawing.text(content.label, x: left - 8, y: y + height / 2 + 4, anchor: .end) }
      for (column, cell) in content.cells.enumerated() {
        draw(cell, x: left + position(column, size), y: y, width: size, height: height, in: &drawing)
      }
    }
    for column in stride(from: 0, to: columns, by: columnStep) {
      drawing.text(columnLabel(column), x: left + position(column, size) + size / 2, y: bottom + 16, anchor: .middle)
    }
    drawing.text(
      xTitle, x: left + (size * Double(columns) + gaps) / 2, y: bottom + 38, anchor: .middle, class: "title")
    drawing.text(yTitle, x: 14, y: 8 + (bottom - 8) / 2, anchor: .middle, class: "title", turned: true)
    return drawing.markup(label: label)
  }

  private static let groupGap = 6.0

  private func position(_ column: Int, _ size: Double) -> Double {
    Double(column) * size + Double(groupSize.map { column / $0 } ?? 0) * Self.groupGap
  }

  private func draw(
    _ cell: Cell, x: Double, y: Double, width: Double, height: Double, in drawing: inout Drawing
  ) {
    guard let shade = cell.shade else { return }
    let (w, h) = (width - 1, height - 1)
    // The palest cell can still be told from the page.
    let opacity = 0.06 + 0.94 * min(1, max(0, shade))
    drawing.rectangle(x: x, y: y, width: w, height: h, class: cell.style, title: cell.title, opacity: opacity)
    if cell.isRinged {
      drawing.rectangle(x: x + 1, y: y + 1, width: w - 2, height: h - 2, class: "ring", title: cell.title)
    }
    guard cell.isDropped else { return }
    drawing.line(x1: x + 1.5, y1: y + h - 1.5, x2: x + w - 1.5, y2: y + 1.5, class: "strike under")
    drawing.line(x1: x + 1.5, y1: y + h - 1.5, x2: x + w - 1.5, y2: y + 1.5, class: "strike")
  }
}
