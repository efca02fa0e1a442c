internal import CHost
internal import Glibc

/// Two connected stream sockets, for the two processes of an instance.
package enum SocketPair {
    /// Both ends, close-on-exec; throws `.system`.
    package static func make() throws(HostError) -> (Descriptor, Descriptor) {
        var ends: [Int32] = [-1, -1]
        try checked("socketpair") { unsafe socketpair(AF_UNIX, streamSocket, 0, &ends) }
        return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    }
}

/// Open files handed from process to process (SCM_RIGHTS).
package enum DescriptorPassing {
    /// Sends a copy of the descriptor; blocks; throws `.closed` or `.system`.
    package static func send(_ descriptor: Descriptor, over link: Descriptor) throws(HostError) {
        let result = chost_send_descriptor(link.number, descriptor.number)
        if result == -EPIPE { throw .closed }
        guard result >= 0 else { throw .failed("sendmsg", nil, result) }
    }

    /// Receives a descriptor; blocks; throws `.closed`, `.noDescriptor` or `.system`.
    package static func receive(over link: Descriptor) throws(HostError) -> Descriptor {
        let result = chost_receive_descriptor(link.number)
        switch result {
        case -EPIPE: throw .closed
        case -ENOMSG: throw .noDescriptor
        case 0...: return Descriptor(owning: result)
        default: throw .failed("recvmsg", nil, result)
        }
    }
}

/// A socket in the file system, for this user's processes alone.
package final class UnixListener: Sendable {
    private let socket: Descriptor
    private let path: String

    private init(_ socket: Descriptor, _ path: String) {
        self.socket = socket
        self.path = path
    }

    /// Listens at a path with mode 0600, replacing a socket that a dead process left.
    ///
    /// The caller holds the instance lock, so no live one can be there. Throws `.notRegularFile` where something else
    /// has the name, or `.system`.
    package static func listen(at path: String) throws(HostError) -> UnixListener {
        try removeStale(path)
        let socket = Descriptor(owning: try checked("socket") { Glibc.socket(AF_UNIX, streamSocket, 0) })
        // The folder is 0700; on Linux a mode set on the socket before it has a name becomes that of the name.
        try checked("fchmod", path) { fchmod(socket.number, 0o600) }
        try unsafe withAddress(path) {
            (address: UnsafePointer<sockaddr>, length: socklen_t) throws(HostError) -> Void in
            try checked("bind", path) { unsafe bind(socket.number, address, length) }
        }
        try checked("chmod", path) { unsafe chmod(path, 0o600) }
        try checked("listen", path) { Glibc.listen(socket.number, 16) }
        return UnixListener(socket, path)
    }

    /// Connects to a listener of this user or of root; blocks; throws `.strangePeer`, `.missing` or `.system`.
    package static func connect(to path: String) throws(HostError) -> Descriptor {
        let socket = Descriptor(owning: try checked("socket") { Glibc.socket(AF_UNIX, streamSocket, 0) })
        try unsafe withAddress(path) {
            (address: UnsafePointer<sockaddr>, length: socklen_t) throws(HostError) -> Void in
            try checked("connect", path) { unsafe Glibc.connect(socket.number, address, length) }
        }
        try checkPeer(of: socket)
        return socket
    }

    /// Hands every connection to `handler` on a thread of its own; peers of another user than ours or root are dropped.
    package func start(_ handler: @escaping @Sendable (Descriptor) -> Void) {
        HostThread.start("listener") { [socket] in
            while true {
                let number = socket.number
                guard number >= 0 else { return }
                let result = chost_accept(number)
                if result >= 0 {
                    let peer = Descriptor(owning: result)
                    do throws(HostError) { try UnixListener.checkPeer(of: peer) } catch { continue }
                    handler(peer)
                } else if result == -EINVAL || result == -EBADF {
                    // Shut down by `close`.
                    return
                } else if result == -EMFILE || result == -ENFILE || result == -ENOMEM || result == -ENOBUFS {
                    // Out of descriptors: try again when some have been given back.
                    usleep(50_000)
                }
            }
        }
    }

    /// Stops listening and removes the name; connections stay as they are.
    package func close() {
        _ = shutdown(socket.number, Int32(SHUT_RDWR))
        unsafe _ = unlink(path)
    }

    /// Throws `.strangePeer` unless the other end belongs to this user or to root.
    static func checkPeer(of socket: Descriptor) throws(HostError) {
        let user = chost_peer_user(socket.number)
        guard user >= 0 else { throw .failed("getsockopt", nil, Int32(truncatingIfNeeded: user)) }
        guard user == 0 || user == Int64(geteuid()) else { throw .strangePeer(uid: UInt32(truncatingIfNeeded: user)) }
    }

    private static func removeStale(_ path: String) throws(HostError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notRegularFile(path: path) }
        try Files.remove(path)
    }
}

private let streamSocket = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

/// Lends the address of a path; throws `.valueTooLong` over 107 bytes.
private func withAddress(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(HostError) -> Void
) throws(HostError) {
    let bytes = Array(path.utf8)
    var address = sockaddr_un()
    guard !bytes.isEmpty, bytes.count < 108, !bytes.contains(0) else { throw .valueTooLong(limit: 107) }
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    var failure: HostError?
    unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            do throws(HostError) {
                try unsafe body(generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            } catch { failure = error }
        }
    }
    if let failure { throw failure }
}
