internal import CHost
internal import Glibc

/// The terminal of the person who started this process.
package enum Terminal {
    /// Asks for a secret of at most `limit` bytes and reads one line that the terminal does not show.
    ///
    /// Throws `.missing` or `.system` where there is no terminal, `.tooLarge`, and `.closed` at the input's end.
    package static func readSecret(prompt: String, atMost limit: Int = 1024) throws(HostError) -> LockedBytes {
        let terminal = try Files.open("/dev/tty", O_RDWR | O_NOCTTY)
        var usual = termios()
        try checked("tcgetattr", "/dev/tty") { unsafe tcgetattr(terminal.number, &usual) }
        var silent = usual
        silent.c_lflag &= ~tcflag_t(ECHO)
        try say(prompt, terminal)
        try checked("tcsetattr", "/dev/tty") { unsafe tcsetattr(terminal.number, TCSAFLUSH, &silent) }
        var line: [UInt8] = []
        line.reserveCapacity(limit + 1)
        defer {
            line.erase()
            unsafe _ = tcsetattr(terminal.number, TCSAFLUSH, &usual)
            try? say("\n", terminal)
        }
        while true {
            var byte: UInt8 = 0
            let count = try checked("read", "/dev/tty") { unsafe Glibc.read(terminal.number, &byte, 1) }
            guard count == 1 else { throw .closed }
            if byte == 0x0A { return LockedBytes(line) }
            guard line.count < limit else { throw .tooLarge(path: "/dev/tty", limit: limit) }
            line.append(byte)
        }
    }

    private static func say(_ text: String, _ terminal: Descriptor) throws(HostError) {
        let failure = unsafe Array(text.utf8).withUnsafeBytes { buffer -> HostError? in
            do throws(HostError) {
                try unsafe Files.writeAll(buffer, to: terminal, "/dev/tty")
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }
}
