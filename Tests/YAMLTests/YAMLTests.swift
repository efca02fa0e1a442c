import HPKI
import Testing
import YAML

@Suite struct `Reading YAML` {
    private func read(_ text: String) throws(YAMLError) -> YAMLNode { try YAMLNode.read(Array(text.utf8)) }

    private func refusal(_ text: String) -> YAMLError? {
        do {
            _ = try read(text)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a configuration is read with types, order and lines`() throws {
        let text = """
            # a comment with an *emphasis* and an & sign
            name: front
            port: 8443
            secure: true
            window: 18h
            hosts: [localhost, "127.0.0.1"]
            listeners:
              - name: public
                port: 1
            """
        let map = try read(text).mapping(allowed: ["name", "port", "secure", "window", "hosts", "listeners"])
        #expect(map.entries.map(\.key) == ["name", "port", "secure", "window", "hosts", "listeners"])
        #expect(try map.required("name").string() == "front")
        #expect(try map.required("port").integer(in: 1...65_535) == 8443)
        #expect(try map.required("secure").boolean())
        #expect(try map.required("window").duration(in: 1...86_400) == 64_800)
        #expect(try map.required("hosts").strings() == ["localhost", "127.0.0.1"])
        let listener = try #require(try map.required("listeners").sequence().first)
        let port = try listener.mapping().required("port")
        #expect(port.line == 9)
        #expect(port.path == "listeners[0].port")
        #expect(map["absent"] == nil)
    }

    @Test func `an error names the line and the key and not the value`() throws {
        let node = try read("a: 1\nport: hunter2\n").mapping().required("port")
        let error = #expect(throws: YAMLError.self) { try node.integer(in: 1...65_535) }
        #expect(error?.description == "line 2: `port` must be an integer in 1…65535")
    }

    @Test func `an unknown key is refused with the nearest known one`() throws {
        let node = try read("nmae: x\nzzz: y\n")
        #expect(throws: YAMLError.unknownKey(line: 1, key: "nmae", suggestion: "name")) {
            try node.mapping(allowed: ["name", "port"])
        }
        var faults = YAMLFaults()
        let mapping = node.mapping(allowed: ["name", "port"], faults: &faults)
        #expect(mapping != nil)
        #expect(faults.errors.count == 2)
        #expect(faults.errors.last == .unknownKey(line: 2, key: "zzz", suggestion: nil))
    }

    @Test func `all faults of a file are gathered`() throws {
        let map = try read("a: x\nb: y\n").mapping()
        var faults = YAMLFaults()
        let first = faults.read(or: 7) { () throws(YAMLError) in try map.required("a").integer(in: 0...9) }
        let second = faults.read(or: true) { () throws(YAMLError) in try map.required("b").boolean() }
        let third = faults.read(or: "") { () throws(YAMLError) in try map.required("c").string() }
        #expect(first == 7 && second && third.isEmpty)
        #expect(faults.errors.map(\.line) == [1, 2, 1])
    }

    @Test(arguments: ["01", "+1", "1_000", "0x10", "1e3", "1.0", "\"1\"", "", "70000", "99999999999999999999"])
    func `an integer is a plain decimal`(text: String) throws {
        let node = try read("key: \(text)").mapping().required("key")
        #expect(throws: YAMLError.self) { try node.integer(in: 1...65_535) }
    }

    @Test(arguments: ["yes", "True", "on", "\"true\"", "1", "!!str true"])
    func `a boolean is true or false and nothing else`(text: String) throws {
        let node = try read("key: \(text)").mapping().required("key")
        #expect(throws: YAMLError.self) { try node.boolean() }
    }

    @Test(arguments: ["18", "h", "-1h", "1.5h", "1 h", "99999999999999999d", "18H", "2d"])
    func `a duration has a number and a unit and a bound`(text: String) throws {
        let node = try read("key: \(text)").mapping().required("key")
        #expect(throws: YAMLError.self) { try node.duration(in: 1...86_400) }
    }

    @Test(arguments: ["key:", "key: ~", "key: null", "key: \"\"", "key: [a]", "key: \"a\\0b\""])
    func `a text is a scalar that is not empty`(text: String) throws {
        let node = try read(text).mapping().required("key")
        #expect(throws: YAMLError.self) { try node.string() }
    }

    @Test func `quoted null and leading zeros stay text`() throws {
        let map = try read("a: \"null\"\nb: 0123\n").mapping()
        #expect(try map.required("a").string() == "null")
        #expect(try map.required("b").string() == "0123")
    }

    @Test func `what makes YAML ambiguous is refused`() {
        #expect(refusal("a: 1\na: 2\n") == .duplicateKey(line: 1, key: "a"))
        #expect(refusal("a: 1\n\"a\": 2\n") == .duplicateKey(line: 1, key: "a"))
        #expect(refusal("a: &x 1\nb: 2\n") == .anchor(line: 1))
        #expect(refusal("a: 1\nb: &x [1]\n") == .anchor(line: 2))
        #expect(refusal("a: &x {c: 1}\nb: *x\n") == .anchor(line: 1))
        #expect(refusal("&k a: 1\n") == .anchor(line: 1))
        #expect(refusal("a: *x\n") == .anchor(line: 1))
        #expect(refusal("a: {b: 1}\nc:\n  <<: {d: 1}\n") == .keyNotScalar(line: 3))
        #expect(refusal("? [a]\n: 1\n") == .keyNotScalar(line: 1))
        #expect(refusal("a: !!int 1\n") == .tag(line: 1))
        #expect(refusal("a: !own 1\n") == .tag(line: 1))
        #expect(refusal("a: ! 1\n") == .tag(line: 1))
        #expect(refusal("a: !own [1]\n") == .tag(line: 1))
        #expect(refusal("a: 1\n---\nb: 2\n") == .severalDocuments)
        #expect(refusal("") == .empty)
        #expect(refusal("# only a comment\n") == .empty)
    }

    @Test func `broken text is refused with its line`() {
        guard case .syntax(let line, _) = refusal("a: 1\nb: [1,\n") else {
            Issue.record("an open list was read")
            return
        }
        #expect(line >= 2)
        #expect(refusal("a: b: c\n") != nil)
        #expect(refusal("\tb: 1\n") != nil)
        #expect(refusal("a: \u{1}\n") != nil)
        #expect(throws: YAMLError.notUTF8) { try YAMLNode.read([0x61, 0x3A, 0x20, 0xFF]) }
        #expect(throws: YAMLError.self) { try YAMLNode.read([0xFF, 0xFE, 0x61, 0x00]) }
    }

    @Test func `size and depth are bounded`() throws {
        let large = [UInt8](repeating: UInt8(ascii: "a"), count: YAMLNode.byteLimit + 1)
        #expect(throws: YAMLError.tooLarge(limit: YAMLNode.byteLimit)) { try YAMLNode.read(large) }
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(refusal(nested(YAMLNode.depthLimit)) == nil)
        #expect(refusal(nested(YAMLNode.depthLimit + 1)) == .tooDeep(line: 1))
        #expect(refusal(nested(900)) == .tooDeep(line: 1))
        #expect(refusal(String(repeating: "[", count: 500_000)) != nil)
        #expect(refusal(String(repeating: "- ", count: 500_000)) != nil)
        #expect(refusal(String(repeating: "? ", count: 400_000)) != nil)
        #expect(refusal(String(repeating: "{a: ", count: 250_000)) != nil)
    }

    @Test(.timeLimit(.minutes(10))) func `a billion laughs end`() {
        var text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        for level in 1...30 {
            text +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",") + "]\n"
        }
        text += "? *a30\n: 1\n"
        guard case .anchor = refusal(text) else {
            Issue.record("aliases were read")
            return
        }
    }

    @Test func `mutated documents never trap`() throws {
        let seed = Array(
            "a: [1, 'x', \"y\\n\"]\nb: {c: d, e: !t f}\n? g\n: |\n  text\n- &i *j\n%TAG ! x\n--- \n...".utf8)
        var state: UInt64 = 42
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<5000 {
            var bytes = seed
            for _ in 0...next(6) {
                switch next(3) {
                case 0: bytes[next(bytes.count)] = UInt8(next(256))
                case 1: bytes.remove(at: next(bytes.count))
                default: bytes.insert(seed[next(seed.count)], at: next(bytes.count))
                }
            }
            do { _ = try YAMLNode.read(bytes) } catch { refused += 1 }
        }
        #expect(refused > 4000)
    }
}
