import XML

/// Turns the text of a predicate into a function of the node at hand (XPath 1.0 §3).
struct XPathParser {
    private enum Expression {
        case boolean((XPathPlace) -> Bool)
        case number((XPathPlace) -> Int)
        case string((XPathPlace) -> String)
        case nodes((XPathPlace) -> [XPathPlace])
    }

    private let namespaces: [String: String]
    private let document: XMLDocument
    private var tokens: ArraySlice<String> = []

    init(_ namespaces: [String: String], _ document: XMLDocument) {
        self.namespaces = namespaces
        self.document = document
    }

    mutating func parse(_ text: Substring) throws -> (XPathPlace) -> Bool {
        tokens = try Self.tokens(of: text)[...]
        let predicate = try boolean(disjunction())
        guard tokens.isEmpty else { throw unsupported() }
        return predicate
    }

    private static func tokens(of text: Substring) throws -> [String] {
        let token = /\s*(::|!=|[A-Za-z][A-Za-z0-9\-]*|"[^"]*"|[0-9]+|[()\/|*=:])\s*/
        var tokens: [String] = []
        var rest = text
        while !rest.isEmpty {
            guard let found = try token.prefixMatch(in: rest) else {
                throw XPathSelection.Unsupported(text: String(rest))
            }
            tokens.append(String(found.output.1))
            rest = rest[found.range.upperBound...]
        }
        return tokens
    }

    private func unsupported() -> XPathSelection.Unsupported {
        XPathSelection.Unsupported(text: tokens.joined(separator: " "))
    }

    private mutating func take(_ token: String) -> Bool {
        guard tokens.first == token else { return false }
        tokens.removeFirst()
        return true
    }

    private mutating func expect(_ token: String) throws {
        guard take(token) else { throw unsupported() }
    }

    private func boolean(_ expression: Expression) throws -> (XPathPlace) -> Bool {
        switch expression {
        case .boolean(let value): value
        case .nodes(let nodes): { !nodes($0).isEmpty }
        case .number, .string: throw unsupported()
        }
    }

    private func nodes(_ expression: Expression) throws -> (XPathPlace) -> [XPathPlace] {
        guard case .nodes(let nodes) = expression else { throw unsupported() }
        return nodes
    }
}

// MARK: - Operators

extension XPathParser {
    private mutating func disjunction() throws -> Expression {
        var left = try conjunction()
        while take("or") {
            let (first, second) = (try boolean(left), try boolean(conjunction()))
            left = .boolean { first($0) || second($0) }
        }
        return left
    }

    private mutating func conjunction() throws -> Expression {
        var left = try equality()
        while take("and") {
            let (first, second) = (try boolean(left), try boolean(equality()))
            left = .boolean { first($0) && second($0) }
        }
        return left
    }

    private mutating func equality() throws -> Expression {
        let left = try remainder()
        let isEqual = take("=")
        guard isEqual || take("!=") else { return left }
        switch (left, try remainder()) {
        case (.number(let first), .number(let second)): return .boolean { (first($0) == second($0)) == isEqual }
        case (.string(let first), .string(let second)): return .boolean { (first($0) == second($0)) == isEqual }
        default: throw unsupported()
        }
    }

    private mutating func remainder() throws -> Expression {
        let left = try union()
        guard take("mod") else { return left }
        guard case .number(let first) = left, case .number(let second) = try union() else { throw unsupported() }
        return .number { first($0) % second($0) }
    }

    /// In no order, which counting doesn't need.
    private mutating func union() throws -> Expression {
        var left = try operand()
        while take("|") {
            let (first, second) = (try nodes(left), try nodes(operand()))
            left = .nodes { Self.distinct(first($0) + second($0)) }
        }
        return left
    }

    private static func distinct(_ nodes: [XPathPlace]) -> [XPathPlace] {
        var seen: Set<String> = []
        return nodes.filter { seen.insert($0.identity).inserted }
    }
}

// MARK: - Operands

extension XPathParser {
    private mutating func operand() throws -> Expression {
        guard let token = tokens.first else { throw unsupported() }
        if take("(") {
            let inner = try disjunction()
            try expect(")")
            return inner
        }
        if token.hasPrefix("\"") {
            tokens.removeFirst()
            let literal = String(token.dropFirst().dropLast())
            return .string { _ in literal }
        }
        if let number = Int(token) {
            tokens.removeFirst()
            return .number { _ in number }
        }
        return tokens.dropFirst().first == "(" ? try function() : try path()
    }

    private mutating func function() throws -> Expression {
        let name = tokens.removeFirst()
        try expect("(")
        let argument = take(")") ? nil : try disjunction()
        if argument != nil { try expect(")") }
        let document = document
        switch (name, argument) {
        case ("not", let argument?):
            let value = try boolean(argument)
            return .boolean { !value($0) }
        case ("count", let argument?):
            let nodes = try nodes(argument)
            return .number { nodes($0).count }
        case ("string", let argument?):
            let nodes = try nodes(argument)
            return .string { nodes($0).first?.stringValue(in: document) ?? "" }
        case ("namespace-uri", let argument?):
            let nodes = try nodes(argument)
            return .string { nodes($0).first?.namespaceURI ?? "" }
        case ("namespace-uri", nil): return .string { $0.namespaceURI }
        case ("name", nil): return .string { $0.name }
        default: throw XPathSelection.Unsupported(text: name)
        }
    }

    private mutating func path() throws -> Expression {
        var steps = [try step()]
        while take("/") { steps.append(try step()) }
        return .nodes { [steps] place in
            steps.reduce([place]) { places, step in Self.distinct(places.flatMap(step)) }
        }
    }

    private mutating func step() throws -> (XPathPlace) -> [XPathPlace] {
        let isNamespaceAxis = tokens.first == "namespace"
        let axis = try axis()
        try expect("::")
        let test = try nodeTest(isNamespaceAxis)
        return { axis($0).filter(test) }
    }

    private mutating func axis() throws -> (XPathPlace) -> [XPathPlace] {
        if take("self") { return { [$0] } }
        if take("parent") { return { $0.parent.map { [$0] } ?? [] } }
        if take("ancestor-or-self") { return \.ancestorsAndSelf }
        if take("namespace") { return \.namespaceNodes }
        throw unsupported()
    }

    private mutating func nodeTest(_ isNamespaceAxis: Bool) throws -> (XPathPlace) -> Bool {
        guard let name = tokens.popFirst() else { throw unsupported() }
        if name == "*" { return isNamespaceAxis ? { _ in true } : \.isElement }
        if take("(") {
            try expect(")")
            switch name {
            case "node": return { _ in true }
            case "text": return \.isText
            default: throw XPathSelection.Unsupported(text: name)
            }
        }
        guard !isNamespaceAxis, name.first?.isLetter == true else { throw XPathSelection.Unsupported(text: name) }
        guard take(":") else { return { Self.isNamed($0, name, "") } }
        guard let uri = namespaces[name], let localName = tokens.popFirst() else { throw unsupported() }
        return { Self.isNamed($0, localName, uri) }
    }

    private static func isNamed(_ place: XPathPlace, _ localName: String, _ uri: String) -> Bool {
        place.isElement && place.element?.isNamed(localName, uri) == true
    }
}
