internal import ModelArchitectures

/// The permutation of query and key rows between the two file formats.
enum RotaryRowOrder {
  /// For each row of the GGUF tensor, the row of the Hugging Face tensor: within a head, `0, d/2, 1, d/2 + 1, …`.
  static func toGGUF(heads: Int, headDimension: Int) -> [Int] {
    let half = headDimension / 2
    return (0..<heads).flatMap { head in
      (0..<headDimension).map { head * headDimension + ($0 % 2) * half + $0 / 2 }
    }
  }

  /// The inverse: for each row of the Hugging Face tensor, the row of the GGUF tensor.
  static func toHuggingFace(heads: Int, headDimension: Int) -> [Int] {
    let half = headDimension / 2
    return (0..<heads).flatMap { head in
      (0..<headDimension).map { head * headDimension + ($0 % half) * 2 + $0 / half }
    }
  }
}
