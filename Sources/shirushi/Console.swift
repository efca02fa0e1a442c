import Foundation
import Glibc
import HPKI

/// What long work says to the person who waits: standard error, so that standard output stays the result's.
enum Progress {
    static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}

/// This process's environment.
enum Environment {
    static func set(_ name: String, to value: String) {
        unsafe setenv(name, value, 1)
    }

    static var all: [String: String] { ProcessInfo.processInfo.environment }

    static subscript(name: String) -> String? { all[name] }
}
