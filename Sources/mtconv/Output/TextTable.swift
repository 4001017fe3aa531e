/// Rows of text in aligned columns.
struct TextTable {
  enum Alignment { case left, right }

  private let alignments: [Alignment]
  private var rows: [[String]] = []
  private let hasHeader: Bool

  init(_ columns: [(title: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    hasHeader = columns.contains { !$0.title.isEmpty }
    if hasHeader { rows.append(columns.map(\.title)) }
  }

  mutating func add(_ row: [String]) {
    precondition(row.count == alignments.count)
    rows.append(row.map { $0.escapingControls() })
  }

  /// The lines, without spaces at their ends.
  var text: String {
    let widths = alignments.indices.map { column in rows.map { Self.width($0[column]) }.max() ?? 0 }
    var lines = rows.map { line($0, widths) }
    // A column without a title has no line under it.
    let rules = zip(rows.first ?? [], widths).map { $0.isEmpty ? "" : String(repeating: "─", count: $1) }
    if hasHeader { lines.insert(line(rules, widths), at: 1) }
    return lines.joined(separator: "\n")
  }

  private func line(_ row: [String], _ widths: [Int]) -> String {
    let cells = row.indices.map { column in
      let padding = String(repeating: " ", count: widths[column] - Self.width(row[column]))
      return alignments[column] == .left ? row[column] + padding : padding + row[column]
    }
    var line = cells.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }

  /// Columns of a terminal; good enough for the letters that model files use.
  private static func width(_ text: String) -> Int { text.count }
}
