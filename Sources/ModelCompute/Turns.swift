internal import Dispatch
internal import Synchronization

/// Lets pieces of work that workers do at the same time end one after the other, in their order.
struct Turns: Sendable {
  private let turns: [DispatchSemaphore]
  private let state = Failure()

  private final class Failure: Sendable { let hasHappened = Atomic<Bool>(false) }

  init(count: Int) {
    turns = (0..<count).map { _ in DispatchSemaphore(value: 0) }
    turns.first?.signal()
  }

  /// Calls `body` when all pieces before this one are done; not at all if one of them failed.
  func take(_ index: Int, _ body: () throws -> Void) throws {
    turns[index].wait()
    defer { if index + 1 < turns.count { turns[index + 1].signal() } }
    guard !state.hasHappened.load(ordering: .acquiring) else { return }
    do { try body() } catch {
      state.hasHappened.store(true, ordering: .releasing)
      throw error
    }
  }
}
