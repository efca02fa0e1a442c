import AuditIndex
import Testing

@Suite struct PostingSetTests {
    @Test(arguments: [0, 1, 100, 4095, 4096, 5000, 60_000, 65_536])
    func `a set of any size does what a set of numbers does`(size: Int) throws {
        var generator = Seeded(UInt64(size))
        let left = places(size, &generator)
        let right = places(Int.random(in: 0...20_000, using: &generator), &generator)
        let (a, b) = (PostingSet(left.shuffled(using: &generator)), PostingSet(right))
        #expect(a.ascending() == left.sorted())
        #expect(a.count == left.count)
        #expect(a.intersection(b).ascending() == left.intersection(right).sorted())
        #expect(a.union(b).ascending() == left.union(right).sorted())
        #expect(a.subtracting(b).ascending() == left.subtracting(right).sorted())
        for _ in 0..<20 {
            let low = Int.random(in: 0..<PostingSet.width, using: &generator)
            let high = Int.random(in: low...PostingSet.width, using: &generator)
            let expected = left.filter { (low..<high).contains(Int($0)) }
            #expect(a.count(in: low..<high) == expected.count)
            #expect(a.clipped(to: low..<high).ascending() == expected.sorted())
        }
        #expect(try PostingSet(a.bytes) == a)
        #expect(a.bytes.count <= 8193)
    }

    @Test func `what is removed is gone, whichever way the set is kept`() {
        var set = PostingSet((0..<4100 as Range<UInt16>))
        var expected = Set(0..<4100 as Range<UInt16>)
        for place in stride(from: 4099 as UInt16, through: 0, by: -7) {
            let (first, second) = (set.remove(place), set.remove(place))
            #expect(first && !second)
            expected.remove(place)
        }
        #expect(set.ascending() == expected.sorted())
    }

    @Test func `bytes that no set wrote are refused`() {
        for bytes: [UInt8] in [
            [], [2], [0, 1], [0, 0, 2, 0, 1], [0, 0, 1, 0, 1], [1, 0], Array(repeating: 0, count: 8195),
        ] {
            #expect(throws: AuditIndexError.self) { try PostingSet(bytes) }
        }
    }

    private func places(_ count: Int, _ generator: inout Seeded) -> Set<UInt16> {
        if count == PostingSet.width { return Set(0...UInt16.max) }
        var places: Set<UInt16> = []
        while places.count < count { places.insert(.random(in: .min ... .max, using: &generator)) }
        return places
    }
}
