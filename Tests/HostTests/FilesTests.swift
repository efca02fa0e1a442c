import Foundation
import HPKI
import Host
import Synchronization
import Testing

@Suite struct FilesAndSecrets {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func `a file is written whole, for its owner, and leaves nothing beside it`() throws {
        try Files.write([1, 2, 3], to: scratch("a"))
        try Files.write([4, 5], to: scratch("a"))
        #expect(try Files.read(scratch("a"), atMost: 2) == [4, 5])
        #expect(try Files.names(in: scratch.folder) == ["a"])
        let attributes = try FileManager.default.attributesOfItem(atPath: scratch("a"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test func `a write that must not replace leaves the file as it was`() throws {
        try Files.write([1], to: scratch("a"), replacing: false)
        #expect(throws: HostError.exists(path: scratch("a"))) {
            try Files.write([2], to: scratch("a"), replacing: false)
        }
        #expect(try Files.read(scratch("a"), atMost: 9) == [1])
    }

    @Test func `reading is bounded and refuses what is no file`() throws {
        try Files.write([UInt8](repeating: 7, count: 100_001), to: scratch("a"))
        #expect(try Files.read(scratch("a"), atMost: 100_001).count == 100_001)
        #expect(throws: HostError.tooLarge(path: scratch("a"), limit: 100_000)) {
            try Files.read(scratch("a"), atMost: 100_000)
        }
        // A device has no size: the bound holds while reading too.
        #expect(throws: HostError.notRegularFile(path: "/dev/zero")) { try Files.read("/dev/zero", atMost: 9) }
        #expect(throws: HostError.tooLarge(path: "/proc/self/maps", limit: 9)) {
            try Files.read("/proc/self/maps", atMost: 9)
        }
        #expect(throws: HostError.missing(path: scratch("b"))) { try Files.read(scratch("b"), atMost: 9) }
        #expect(throws: HostError.notRegularFile(path: scratch.folder)) { try Files.read(scratch.folder, atMost: 9) }
        let cut = scratch("a") + "\0.pem"
        #expect(throws: HostError.system(call: "open", path: cut, name: "EINVAL")) { try Files.read(cut, atMost: 9) }
    }

    @Test func `a folder is made with its parents and refused when others may reach it`() throws {
        try Files.makeFolder(scratch("x/y/z"))
        try Files.makeFolder(scratch("x/y/z"))
        try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: scratch("x"))
        #expect(throws: HostError.exposed(path: scratch("x"), mode: "0750")) { try Files.makeFolder(scratch("x")) }
    }

    @Test(arguments: [0o640, 0o604, 0o610, 0o660])
    func `a secret that others may reach is not read`(mode: Int) throws {
        try SecretFile.write(Array("pin\n".utf8), to: scratch("pin"))
        #expect(try SecretFile.read(scratch("pin"), atMost: 64).count == 4)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: scratch("pin"))
        let text = "0" + String(mode, radix: 8)
        #expect(throws: HostError.exposed(path: scratch("pin"), mode: text)) {
            try SecretFile.read(scratch("pin"), atMost: 64)
        }
    }

    @Test func `a secret is its bytes for who borrows them and the word secret for who prints it`() throws {
        let secret = LockedBytes(Array("1234\r\n".utf8))
        #expect("\(secret)" == "secret")
        #expect(!String(reflecting: secret).contains("1234"))
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("49"))
        #expect(secret.count == 6)
        unsafe secret.withoutTrailingNewline().withBytes { #expect(unsafe $0.elementsEqual("1234".utf8)) }
        unsafe LockedBytes(Array("12\n\n".utf8)).withoutTrailingNewline().withBytes {
            #expect(unsafe $0.elementsEqual("12\n".utf8))
        }
        unsafe LockedBytes([]).withoutTrailingNewline().withBytes { #expect(unsafe $0.isEmpty) }
        #expect(secret.isLocked, "the kernel let no page be locked")
    }

    @Test func `an instance is locked once and freed by release`() throws {
        let lock = try InstanceLock.acquire(at: scratch("lock"))
        let holder = HostError.locked(path: scratch("lock"), holder: ProcessInfo.processInfo.processIdentifier)
        #expect(throws: holder) { try InstanceLock.acquire(at: scratch("lock")) }
        lock.release()
        let again = try InstanceLock.acquire(at: scratch("lock"))
        again.release()
    }

    @Test func `the live clock, randomness and kernel answer`() throws {
        let now = WallClock.live.now()
        #expect(abs(Double(now.milliseconds) / 1000 - Date().timeIntervalSince1970) < 5)
        let first = Monotonic.now
        #expect(Monotonic.now >= first)
        #expect(Random.live.bytes(0) == [])
        #expect(Random.live.bytes(13).count == 13)
        #expect(Random.live.bytes(32) != Random.live.bytes(32))
        #expect(try KernelClock.state().maximumErrorMicroseconds >= 0)
    }
}

@Suite struct DurableHeads {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func edit(_ change: (inout [UInt8]) -> Void) throws {
        var bytes = try Files.read(scratch("head"), atMost: 8192)
        change(&bytes)
        try Files.write(bytes, to: scratch("head"))
    }

    @Test func `the last value stored is the one found`() throws {
        let head = try DurableHead.create(at: scratch("head"), value: [1])
        #expect(head.value == [1])
        for number in 2...9 as ClosedRange<UInt8> {
            try head.store([UInt8](repeating: number, count: Int(number) * 50))
            let found = try DurableHead.open(at: scratch("head"))
            #expect(found.value == head.value)
            #expect(!found.foundDamagedSlot)
        }
        try head.store([UInt8](repeating: 9, count: 512))
        #expect(throws: HostError.valueTooLong(limit: 512)) { try head.store([UInt8](repeating: 9, count: 513)) }
        #expect(try DurableHead.open(at: scratch("head")).value.count == 512)
        #expect(throws: HostError.exists(path: scratch("head"))) {
            try DurableHead.create(at: scratch("head"), value: [])
        }
    }

    @Test func `a write torn at any byte leaves the value before or the one after`() throws {
        let head = try DurableHead.create(at: scratch("head"), value: Array("first".utf8))
        try head.store(Array("second".utf8))
        let before = try Files.read(scratch("head"), atMost: 8192)
        try head.store(Array("third!".utf8))
        let after = try Files.read(scratch("head"), atMost: 8192)
        let touched = (0..<8192).filter { before[$0] != after[$0] }
        #expect(!touched.isEmpty)
        for cut in touched {
            try Files.write(Array(after[..<cut] + before[cut...]), to: scratch("head"))
            let found = try DurableHead.open(at: scratch("head"))
            #expect(found.value == Array("second".utf8))
        }
        try Files.write(after, to: scratch("head"))
        #expect(try DurableHead.open(at: scratch("head")).value == Array("third!".utf8))
    }

    @Test func `any damaged byte of one slot is noticed, and two damaged slots are refused`() throws {
        let head = try DurableHead.create(at: scratch("head"), value: [1, 2, 3])
        try head.store([4, 5, 6])
        for place in 0..<27 {
            try edit { $0[place] ^= 0x40 }
            let found = try DurableHead.open(at: scratch("head"))
            #expect(found.foundDamagedSlot)
            #expect(found.value == [1, 2, 3])
            try edit { $0[place] ^= 0x40 }
        }
        try edit { bytes in
            bytes[0] ^= 1
            bytes[4096] ^= 1
        }
        #expect(throws: HostError.damaged(path: scratch("head"))) { try DurableHead.open(at: scratch("head")) }
    }

    @Test(arguments: [0, 1, 4095, 4096, 8191])
    func `a file cut short is damaged or falls to its whole slot`(size: Int) throws {
        try DurableHead.create(at: scratch("head"), value: [1]).store([2])
        try edit { $0 = Array($0.prefix(size)) }
        if size < 4096 {
            #expect(throws: HostError.damaged(path: scratch("head"))) { try DurableHead.open(at: scratch("head")) }
        } else {
            let found = try DurableHead.open(at: scratch("head"))
            #expect(found.value == [2])
            #expect(found.foundDamagedSlot)
        }
    }

    @Test func `after a sync that failed nothing is stored until the file is opened anew`() throws {
        try DurableHead.create(at: scratch("head"), value: [1]).store([2])
        let syncs = Mutex(0)
        let head = try DurableHead.open(at: scratch("head")) { _ in
            syncs.withLock {
                $0 += 1; return $0 == 3 ? -1 : 0
            }
        }
        try head.store([3])
        #expect(throws: HostError.self) { try head.store([4]) }
        #expect(head.value == [3])
        #expect(throws: HostError.mustReopen(path: scratch("head"))) { try head.store([5]) }
        #expect(syncs.withLock { $0 } == 3)
        let found = try DurableHead.open(at: scratch("head")).value
        #expect(found == [3] || found == [4])
    }

    @Test func `a head that others may read is refused`() throws {
        _ = try DurableHead.create(at: scratch("head"), value: [1])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: scratch("head"))
        #expect(throws: HostError.exposed(path: scratch("head"), mode: "0644")) {
            try DurableHead.open(at: scratch("head"))
        }
    }
}
