internal import ArgumentParser
internal import Dispatch
internal import ModelCompression
internal import TensorFormats

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

struct MTConv: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mtconv",
    abstract: "Make a language model smaller, and prove that it still works.",
    discussion: """
      Reads and writes Hugging Face directories (safetensors) and GGUF files. Results go to standard output, progress to \
      standard error; --json gives every report as JSON.

      Exit codes: 0 done; 1 verification says no; 2 failed; 64 wrong usage; 130 interrupted.
      """,
    version: Recipe.version,
    subcommands: [
      InspectCommand.self,
      DescribeCommand.self,
      ConvertCommand.self,
      LogitsCommand.self,
      PerplexityCommand.self,
      EvalCommand.self,
      CalibrateCommand.self,
      PlanCommand.self,
      HealCommand.self,
      PruneCommand.self,
      FinetuneCommand.self,
      DistillCommand.self,
      QuantizeCommand.self,
      CompressCommand.self,
      VerifyCommand.self,
      ReportCommand.self,
      ReplayCommand.self,
      BenchCommand.self,
    ])
}

@main
enum Program {
  static func main() {
    let interrupts = Interrupts()
    let code = withExtendedLifetime(interrupts) { run() }
    exit(code)
  }

  private static func run() -> Int32 {
    var command: any ParsableCommand
    do {
      command = try MTConv.parseAsRoot()
    } catch {
      MTConv.exit(withError: error)
    }
    do {
      try command.run()
      return ExitStatus.done.rawValue
    } catch let status as ExitStatus {
      return status.rawValue
    } catch {
      // Help, a version and wrong usage are the parser's own errors; anything else is a failure.
      if MTConv.exitCode(for: error) != .failure { MTConv.exit(withError: error) }
      Console.error("mtconv: \(message(of: error))")
      return ExitStatus.failed.rawValue
    }
  }

  private static func message(of error: any Error) -> String {
    if let error = error as? DecodingError { return "cannot read: \(error)" }
    return "\(error)"
  }
}

/// How the program ends.
enum ExitStatus: Int32, Error {
  case done = 0
  /// Verification says no.
  case refused = 1
  case failed = 2
  case interrupted = 130
}

/// Removes unfinished outputs when the user or the system stops the program.
private final class Interrupts {
  private let sources: [any DispatchSourceSignal]

  init() {
    // A reader that goes away is seen by `Console`, where it ends the output and not the program.
    signal(SIGPIPE, SIG_IGN)
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
      source.setEventHandler {
        if StopRequest.make() {
          Console.error("mtconv: stopping after this step; once more to stop at once")
          return
        }
        Partials.removeAll {
          Console.error("mtconv: interrupted")
          _exit(ExitStatus.interrupted.rawValue)
        }
      }
      source.resume()
      return source
    }
  }
}
