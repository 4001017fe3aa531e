internal import ModelArchitectures

/// The matrices that a pass has written and still needs.
struct Sites {
  private(set) var matrices: [Site: Matrix] = [:]

  /// The matrix of a site that is there: the program writes every site before it is read.
  subscript(site: Site) -> Matrix {
    guard let matrix = matrices[site] else { preconditionFailure("site \(site.rawValue) is read before it is written") }
    return matrix
  }

  mutating func set(_ matrix: Matrix, at site: Site) { matrices[site] = matrix }
  mutating func drop(_ sites: [Site]) { for site in sites { matrices[site] = nil } }
}

/// Gradients of the loss with respect to sites, gathered while the program is walked in reverse.
struct SiteGradients {
  private struct Entry {
    var matrix: Matrix
    /// Whether nobody else holds the matrix, so that it may be added to in place.
    var isOwned: Bool
  }

  private var entries: [Site: Entry] = [:]
  let workspace: Workspace?

  init(workspace: Workspace?) { self.workspace = workspace }

  /// The gradient of a site, complete when every reader of the site has been walked.
  mutating func take(_ site: Site) -> Matrix? { entries.removeValue(forKey: site)?.matrix }

  /// Adds a gradient that others may hold too.
  mutating func add(_ matrix: Matrix, to site: Site) { add(matrix, to: site, isOwned: false) }

  /// Adds a gradient that was made for this site.
  mutating func add(new matrix: Matrix, to site: Site) { add(matrix, to: site, isOwned: true) }

  /// Lets `body` write the gradient of a site, or add to the one that is there.
  mutating func accumulate(
    into site: Site, rows: Int, columns: Int, _ body: (_ gradient: Matrix, _ isAdded: Bool) throws -> Void
  ) rethrows {
    guard let entry = entries[site] else {
      let matrix = Matrix(rows: rows, columns: columns, workspace: workspace)
      try body(matrix, false)
      entries[site] = Entry(matrix: matrix, isOwned: true)
      return
    }
    let matrix = entry.isOwned ? entry.matrix : entry.matrix.copy(workspace: workspace)
    try body(matrix, true)
    entries[site] = Entry(matrix: matrix, isOwned: true)
  }

  private mutating func add(_ matrix: Matrix, to site: Site, isOwned: Bool) {
    guard let entry = entries[site] else {
      entries[site] = Entry(matrix: matrix, isOwned: isOwned)
      return
    }
    let sum = entry.isOwned ? entry.matrix : Matrix(rows: matrix.rows, columns: matrix.columns, workspace: workspace)
    addRows(entry.matrix, matrix, into: sum)
    entries[site] = Entry(matrix: sum, isOwned: true)
  }
}
