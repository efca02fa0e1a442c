import CLibXML2
import Fuzz
import Glibc

// The target to feed, by its name: libFuzzer owns the arguments. Without it the names, for scripts/fuzz.
guard let asked = unsafe getenv("SHIRUSHI_FUZZ_TARGET") else {
    for target in FuzzTarget.allCases { print(target.rawValue) }
    exit(0)
}
guard let target = FuzzTarget(rawValue: unsafe String(cString: asked)) else {
    print("SHIRUSHI_FUZZ_TARGET is one of", FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))
    exit(64)
}

/// libxml2 in this process.
struct LibXML2: CanonicalOracle {
    func canonical(_ document: [UInt8], _ queries: [CanonicalQuery]) -> [[UInt8]?]? {
        guard let read = unsafe oracle_read(document, document.count) else { return nil }
        defer { unsafe oracle_close(read) }
        return queries.map { query in
            unsafe query.prefixes.joined(separator: " ").withCString { prefixes in
                var asked = unsafe oracle_query(
                    method: query.methodNumber, comments: query.hasComments ? 1 : 0, apex: UInt32(query.apex),
                    excluded: UInt32(query.excluded), prefixes: prefixes)
                var count = 0
                guard let form = unsafe oracle_write(read, &asked, &count) else { return nil }
                defer { unsafe oracle_release(form) }
                return unsafe Array(UnsafeBufferPointer(start: form, count: count))
            }
        }
    }
}

private let chosen = target

/// A finding ends the process, which libFuzzer reports with the input.
private func feed(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    do {
        let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
        let begun = WorkedTime.seconds
        _ = try chosen.run(bytes, oracle: LibXML2())
        let worked = WorkedTime.seconds - begun
        guard worked <= WorkedTime.most else {
            print("finding: an input of \(bytes.count) bytes took \(worked) s")
            fflush(nil)
            abort()
        }
    } catch {
        print("finding:", error)
        fflush(nil)
        abort()
    }
    return 0
}

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
exit(unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in unsafe feed(data, size) })
