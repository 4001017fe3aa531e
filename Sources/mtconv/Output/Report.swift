internal import TensorFormats

/// A result that can be shown to a person or a program: text and JSON come from the same value.
protocol Report: Encodable {
  var text: String { get }
}

extension Report {
  func print(asJSON: Bool) throws {
    Console.print(asJSON ? try JSON(encoding: self).serialized(.indented) : text)
  }
}
