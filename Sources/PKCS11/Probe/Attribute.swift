import CPKCS11

/// An attribute as the probe gives it: in any order, twice if it likes, or with a template inside.
struct Attribute: Sendable {
    enum Value: Sendable {
        case bytes([UInt8])
        case template([Attribute])
    }

    let type: UInt
    let value: Value

    init(_ type: UInt, _ value: [UInt8]) { (self.type, self.value) = (type, .bytes(value)) }
    init(_ type: UInt, _ value: Bool) { self.init(type, [value ? 1 : 0]) }
    init(_ type: UInt, _ value: UInt) {
        self.init(type, (0..<MemoryLayout<UInt>.size).map { UInt8(truncatingIfNeeded: value >> (UInt($0) * 8)) })
    }
    init(_ type: UInt, _ value: [Attribute]) { (self.type, self.value) = (type, .template(value)) }
}

extension [Attribute] {
    /// The template with the attributes of `changes` in the place of its own of the same types; new ones come first.
    func with(_ changes: Attribute...) -> [Attribute] {
        changes.filter { change in !contains { $0.type == change.type } }
            + map { own in changes.first { $0.type == own.type } ?? own }
    }

    /// The template without its attributes of `types`.
    func without(_ types: UInt...) -> [Attribute] { filter { !types.contains($0.type) } }

    /// Lends the template as a `CK_ATTRIBUTE` array for one call.
    func lend(_ body: (UnsafeMutablePointer<CK_ATTRIBUTE>, UInt) -> UInt) -> UInt {
        let memory = LentMemory()
        return withExtendedLifetime(memory) { unsafe body(memory.list(self), UInt(count)) }
    }
}

/// The memory of one lent template and of the templates inside it.
@safe private final class LentMemory {
    private var blocks = unsafe [UnsafeMutableRawPointer]()

    func list(_ attributes: [Attribute]) -> UnsafeMutablePointer<CK_ATTRIBUTE> {
        let size = unsafe MemoryLayout<CK_ATTRIBUTE>.stride
        let start = unsafe block(attributes.count * size).bindMemory(to: CK_ATTRIBUTE.self, capacity: attributes.count)
        for (index, attribute) in attributes.enumerated() {
            unsafe start[index] = CK_ATTRIBUTE()
            unsafe start[index].type = attribute.type
            switch attribute.value {
            case .bytes(let bytes):
                unsafe start[index].pValue = unsafe copy(bytes)
                unsafe start[index].ulValueLen = UInt(bytes.count)
            case .template(let inner):
                unsafe start[index].pValue = unsafe UnsafeMutableRawPointer(list(inner))
                unsafe start[index].ulValueLen = UInt(inner.count * size)
            }
        }
        return unsafe start
    }

    private func copy(_ bytes: [UInt8]) -> UnsafeMutableRawPointer {
        let start = unsafe block(bytes.count)
        unsafe start.copyMemory(from: bytes, byteCount: bytes.count)
        return unsafe start
    }

    private func block(_ count: Int) -> UnsafeMutableRawPointer {
        let start = UnsafeMutableRawPointer.allocate(byteCount: Swift.max(count, 8), alignment: 8)
        unsafe blocks.append(start)
        return unsafe start
    }

    deinit { unsafe blocks.forEach { unsafe $0.deallocate() } }
}
