import ModelCheckpoints
import Synchronization

/// Every report of progress, in order.
final class ProgressLog: Sendable {
  private let log = Mutex<[WorkProgress]>([])

  var handler: WorkProgress.Handler { { [self] progress in log.withLock { $0.append(progress) } } }
  var entries: [WorkProgress] { log.withLock { $0 } }
}
