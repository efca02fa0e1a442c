/// First in, first out, without moving what waits.
struct Queue<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 64, head > elements.count / 2 {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Removes and returns those that satisfy `condition`; the others keep their order.
    mutating func remove(where condition: (Element) -> Bool) -> [Element] {
        let all = elements[head...].compactMap { $0 }
        let removed = all.filter(condition)
        guard !removed.isEmpty else { return [] }
        elements = all.filter { !condition($0) }
        head = 0
        return removed
    }
}

extension Queue: Sendable where Element: Sendable {}
