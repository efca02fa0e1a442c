internal import CHost
internal import Glibc

/// Why the operating system, or what it holds, did not do as asked.
package enum HostError: Error, Sendable, Hashable {
    /// A system call failed; `name` is that of its error number, such as `ENOSPC`.
    case system(call: String, path: String?, name: String)
    /// A file has more bytes than its reader takes.
    case tooLarge(path: String, limit: Int)
    /// Others than the owner may reach a secret; `mode` in octal digits.
    case exposed(path: String, mode: String)
    /// A path names something else than a file (or folder) of our own.
    case notRegularFile(path: String)
    /// A file that was to be made is there already.
    case exists(path: String)
    /// There is no such file.
    case missing(path: String)
    /// Another process holds the lock; its process id, where it could be read.
    case locked(path: String, holder: Int32?)
    /// No slot of a durable head is whole.
    case damaged(path: String)
    /// A write that may not have reached the disk came before: only opening the file anew tells.
    case mustReopen(path: String)
    /// A value is over its bound, in bytes.
    case valueTooLong(limit: Int)
    /// A process of another user is at the other end of a local socket.
    case strangePeer(uid: UInt32)
    /// A message that was to carry a descriptor carried none.
    case noDescriptor
    /// The link is closed, here or by its peer.
    case closed
    /// The peer does not read: the frames that wait for it are at their bound.
    case queueFull
}

extension HostError: CustomStringConvertible {
    /// One line for the operator, without the bytes concerned.
    package var description: String {
        switch self {
        case .system(let call, let path?, let name): "\(call) \(path): \(name)"
        case .system(let call, nil, let name): "\(call): \(name)"
        case .tooLarge(let path, let limit): "\(path) has more than \(limit) bytes"
        case .exposed(let path, let mode): "\(path) has mode \(mode): only its owner may reach it"
        case .notRegularFile(let path): "\(path) is not a plain file or folder of this user"
        case .exists(let path): "\(path) exists already"
        case .missing(let path): "\(path) does not exist"
        case .locked(let path, let holder?): "process \(holder) holds \(path)"
        case .locked(let path, nil): "another process holds \(path)"
        case .damaged(let path): "\(path) is damaged"
        case .mustReopen(let path): "a write to \(path) failed before: it must be opened anew"
        case .valueTooLong(let limit): "the value has more than \(limit) bytes"
        case .strangePeer(let uid): "the peer belongs to user \(uid)"
        case .noDescriptor: "the message carried no descriptor"
        case .closed: "the link is closed"
        case .queueFull: "the peer does not read"
        }
    }

    /// The error of a call that answered `-errno`.
    static func failed(_ call: String, _ path: String? = nil, _ result: Int32) -> HostError {
        let number = 0 &- result
        if let path, number == ENOENT { return .missing(path: path) }
        if let path, number == EEXIST { return .exists(path: path) }
        return .system(call: call, path: path, name: name(of: number))
    }

    /// The name of an error number, such as `ENOENT`.
    static func name(of number: Int32) -> String { unsafe String(cString: chost_error_name(number)) }
}

/// Runs a call of the C library until no signal interrupts it; throws what errno says.
@discardableResult
func checked<Number: SignedInteger>(
    _ call: String, _ path: String? = nil, _ body: () -> Number
) throws(HostError) -> Number {
    while true {
        let result = body()
        guard result < 0 else { return result }
        let number = errno
        guard number == EINTR else { throw .failed(call, path, -number) }
    }
}
