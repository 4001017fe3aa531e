#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Standard output for results, standard error for everything else.
enum Console {
  static func print(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
  static func error(_ text: String) { write(text.escapingControls(keepingLines: true) + "\n", to: STDERR_FILENO) }
  static func errorFragment(_ text: String) { write(text, to: STDERR_FILENO) }

  /// Whether somebody watches standard error.
  static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

  private static func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes { systemWrite(descriptor, $0) }
      if count < 0 {
        if errno == EINTR { continue }
        // The reader has gone, as with `mtconv … | head`: what is left is not wanted, but the verdict still counts.
        if errno == EPIPE || descriptor == STDERR_FILENO { return }
        error("mtconv: the result cannot be written: \(String(cString: strerror(errno)))")
        exit(ExitStatus.failed.rawValue)
      }
      offset += count
    }
  }

  private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }
}

extension String {
  /// The text with control characters spelled out, so that a name in a file cannot steer the terminal that shows it.
  func escapingControls(keepingLines: Bool = false) -> String {
    guard unicodeScalars.contains(where: { $0.isControl && !(keepingLines && $0 == "\n") }) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      if scalar.isControl, !(keepingLines && scalar == "\n") {
        result += "\\u{" + String(scalar.value, radix: 16) + "}"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// C0, DEL, C1, and the marks that reorder text.
  fileprivate var isControl: Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
