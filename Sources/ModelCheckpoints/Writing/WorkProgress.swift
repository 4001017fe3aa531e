/// How far a long piece of work has come. Sent often; the receiver decides what to show.
public struct WorkProgress: Sendable {
  /// What is being done, for example `writing model.safetensors`.
  public let phase: String
  public let completed: Int
  public let total: Int
  public let unit: Unit

  public enum Unit: Sendable { case bytes, tokens, blocks, figures }

  public init(phase: String, completed: Int, total: Int, unit: Unit) {
    self.phase = phase
    self.completed = completed
    self.total = total
    self.unit = unit
  }

  public typealias Handler = @Sendable (WorkProgress) -> Void
}
