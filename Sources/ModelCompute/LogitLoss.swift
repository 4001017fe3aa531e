/// A loss that is a sum over tokens of something that follows from their logits.
public protocol LogitLoss {
  /// Returns the loss of a few tokens and writes its gradient over their logits.
  ///
  /// - Parameters:
  ///   - logits: `rows × vocabulary`, replaced by the gradient of the loss with respect to them.
  ///   - rows: which rows of the batch these are.
  func evaluate(_ logits: Matrix, rows: Range<Int>) throws -> Double
}
