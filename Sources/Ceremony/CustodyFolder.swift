import HPKI
import Host

/// The folder `custody/` of an instance: register, envelopes and protocols; nothing in it is secret by itself.
package struct CustodyFolder: Sendable, Hashable {
    package let path: String

    /// The folder below an instance's home.
    package init(home: String) {
        path = home + "/custody"
    }

    /// The file that says who the officers are.
    package var registerFile: String { path + "/officers.json" }
    /// The folder of sealed secrets.
    package var envelopeFolder: String { path + "/envelopes" }
    /// The folder of signed protocols.
    package var protocolFolder: String { path + "/protocols" }

    /// Makes the folders; throws `.host`.
    package func make() throws(CeremonyError) {
        for folder in [path, envelopeFolder, protocolFolder] {
            try hosted { () throws(HostError) in try Files.makeFolder(folder) }
        }
    }

    /// The register; throws `.outOfOrder` where there is none yet, and `.damaged`.
    package func register() throws(CeremonyError) -> OfficerRegister {
        guard Files.exists(registerFile) else {
            throw .outOfOrder("the instance has no officers yet; register them with: shirushi hsm init")
        }
        return try OfficerRegister(bytes: try read(registerFile), at: registerFile)
    }

    /// Writes the register of a new instance; the same one again changes nothing, another throws `.otherRegister`.
    package func save(_ register: OfficerRegister) throws(CeremonyError) {
        if Files.exists(registerFile) {
            guard try self.register() == register else { throw .otherRegister }
            return
        }
        let bytes = try register.bytes
        try hosted { () throws(HostError) in try Files.write(bytes, to: registerFile, replacing: false) }
    }

    /// The envelope with this label, or nil.
    package func envelope(_ label: String) throws(CeremonyError) -> Envelope? {
        guard Envelope.isLabel(label) else { throw .envelopeRefused(label: label) }
        let file = envelopeFolder + "/\(label).json"
        guard Files.exists(file) else { return nil }
        let envelope = try CustodyJSON.value(Envelope.self, from: try read(file), at: file)
        guard envelope.label == label, envelope.version == 1 else {
            throw .damaged(path: file, what: "it is the envelope `\(envelope.label)`")
        }
        return envelope
    }

    /// Writes an envelope under its label; throws `.host` with `.exists` for a label in use.
    package func save(_ envelope: Envelope) throws(CeremonyError) {
        let bytes = try CustodyJSON.bytes(envelope)
        let file = envelopeFolder + "/\(envelope.label).json"
        try hosted { () throws(HostError) in try Files.write(bytes, to: file, replacing: false) }
    }

    /// Every protocol, oldest first, checked against the register and linked to the one before it.
    package func protocols() throws(CeremonyError) -> [CeremonyProtocol] {
        guard Files.exists(protocolFolder) else { return [] }
        let register = try register()
        let names = try hosted { () throws(HostError) in try Files.names(in: protocolFolder) }
        var found: [(path: String, bytes: [UInt8], protocol: CeremonyProtocol)] = []
        for name in names where name.hasSuffix(".json") {
            let path = protocolFolder + "/" + name
            let bytes = try read(path)
            found.append((path, bytes, try CeremonyProtocol(bytes, at: path, register: register)))
        }
        found.sort { $0.protocol.record.number < $1.protocol.record.number }
        var previous: HexBytes?
        for (index, entry) in found.enumerated() {
            guard entry.protocol.record.number == index + 1, entry.protocol.record.previous == previous else {
                throw .protocolRefused(path: entry.path, what: "a protocol before it is missing or was put in")
            }
            previous = HexBytes(sha256(entry.bytes))
        }
        return found.map(\.protocol)
    }

    func read(_ path: String) throws(CeremonyError) -> [UInt8] {
        try hosted { () throws(HostError) in try Files.read(path, atMost: CustodyJSON.fileLimit) }
    }
}
