/// One self-contained HTML page: no scripts, no fonts or images from elsewhere.
struct ReportPage {
  var title: String
  var subtitle: String
  var sections: [ReportSection]
  /// What could be shown if a command were run.
  var missing: [ReportGap]

  var html: String {
    let page = Markup(
      "html", ["lang": "en", "xmlns": "http://www.w3.org/1999/xhtml"],
      Markup(
        "head", [:], Markup("meta", ["charset": "utf-8"]),
        Markup("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        Markup("meta", ["name": "color-scheme", "content": "light dark"]), Markup("title", [:], .text(title)),
        Markup("style", [:], .text(ReportStyle.text))),
      Markup("body", [:], [Self.patterns, header] + sections.map(\.markup) + (missing.isEmpty ? [] : [gaps])))
    return "<!DOCTYPE html>\n" + page.serialized + "\n"
  }

  private var header: Markup {
    let links = sections.map { Markup("a", ["href": "#\($0.id)"], .text($0.title)) }
    return Markup(
      "header", [:], Markup("h1", [:], .text(title)), Markup("p", ["class": "subtitle"], .text(subtitle)),
      Markup("nav", [:], links))
  }

  private var gaps: Markup {
    let items = missing.map { gap in
      Markup("li", [:], .text(gap.what + ": "), Markup("code", [:], .text(gap.command)))
    }
    return Markup(
      "section", ["id": "missing"], Markup("h2", [:], .text("Not in this report")),
      Markup(
        "p", ["class": "lead"],
        .text("These commands make what is missing, in the folder that the report is made from.")),
      Markup("ul", [:], items))
  }

  /// Hatching for what is dropped, which can be told apart without colours.
  private static var patterns: Markup {
    let stripe = Markup(
      "pattern",
      [
        "id": "hatch", "width": "6", "height": "6", "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)",
      ], Markup("rect", ["width": "6", "height": "6", "class": "hatch-ground"]),
      Markup("rect", ["width": "2.5", "height": "6", "class": "hatch-line"]))
    return Markup(
      "svg",
      ["width": "0", "height": "0", "class": "hidden", "aria-hidden": "true", "xmlns": "http://www.w3.org/2000/svg"],
      Markup("defs", [:], stripe))
  }
}

/// A heading, what it means, and charts or tables.
struct ReportSection {
  let id: String
  let title: String
  /// What is seen, in a sentence or two.
  let lead: String
  let content: [Markup]

  var markup: Markup {
    Markup(
      "section", ["id": id],
      [Markup("h2", [:], .text(title)), Markup("p", ["class": "lead"], .text(lead))] + content)
  }
}

struct ReportGap {
  let what: String
  let command: String
}

extension Markup {
  /// A chart with its name above and its colours explained below.
  static func figure(_ caption: String, _ chart: Markup, legend: [(style: String, name: String)] = []) -> Markup {
    let entries = legend.map { entry in
      Markup("span", ["class": "key"], Markup("i", ["class": "swatch \(entry.style)"]), .text(entry.name))
    }
    return Markup(
      "figure", [:],
      [Markup("figcaption", [:], .text(caption)), chart]
        + (entries.isEmpty ? [] : [Markup("p", ["class": "legend"], entries)]))
  }

  /// Rows of text; the first `leading` columns start at the left, those of numbers end at the right.
  static func table(
    _ header: [String], _ rows: [[String]], leading: Int = 1, emphasized: Set<Int> = []
  ) -> Markup {
    func cells(_ name: String, _ texts: [String]) -> [Markup] {
      texts.enumerated().map { Markup(name, $0 < leading ? ["class": "words"] : [:], .text($1)) }
    }
    let body = rows.enumerated().map { index, row in
      Markup("tr", emphasized.contains(index) ? ["class": "chosen"] : [:], cells("td", row))
    }
    let head = header.isEmpty ? [] : [Markup("thead", [:], Markup("tr", [:], cells("th", header)))]
    return Markup("div", ["class": "scroll"], Markup("table", [:], head + [Markup("tbody", [:], body)]))
  }

  /// Large numbers with a word under each.
  static func tiles(_ facts: [(value: String, name: String, note: String)]) -> Markup {
    Markup(
      "div", ["class": "tiles"],
      facts.map { fact in
        Markup(
          "div", ["class": "tile"], Markup("b", [:], .text(fact.value)), Markup("span", [:], .text(fact.name)),
          Markup("small", [:], .text(fact.note)))
      })
  }
}
