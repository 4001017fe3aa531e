import Foundation
import MTConvTestSupport

/// The built program, run once as a process of its own, from the folder of the fixtures.
struct ProgramRun {
  let status: Int32
  let output: String
  let errors: String
  /// The number of the signal that ended it.
  let signal: Int32?

  @discardableResult
  init(_ arguments: [String]) throws {
    let process = Self.process(arguments)
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    (status, signal) = Self.end(of: process)
  }

  init(_ arguments: String...) throws { try self.init(arguments) }

  /// A process that is ready to run, without input and with a terminal of 80 columns.
  static func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: BuiltProgram.path("mtconv"))
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: Fixture.path(""))
    process.standardInput = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment.merging(["COLUMNS": "80"]) { $1 }
    return process
  }

  static func end(of process: Process) -> (status: Int32, signal: Int32?) {
    let code = process.terminationStatus
    return process.terminationReason == .exit ? (code, nil) : (-1, code)
  }
}
