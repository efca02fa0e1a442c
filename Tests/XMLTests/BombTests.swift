import Foundation
import Testing
import XML

struct BombTests {
    @Test(.timeLimit(.minutes(10))) func `every file that needs a DTD is refused at it and the simple ones are read`()
        throws
    {
        guard let root = vectors("xml-bombs") else { return }
        var refused = 0
        var accepted: [String] = []
        for folder in ["defusedxml", "libxml2/test/recurse"] {
            for file in try files(in: root.appending(path: folder)) where file.pathExtension == "xml" {
                let reason = reasonOfRefusal(try bytes(of: file))
                if let reason {
                    #expect(reason == .doctypeRefused, "\(file.lastPathComponent)")
                    refused += 1
                } else {
                    accepted.append(file.lastPathComponent)
                }
            }
        }
        print("xml-bombs: \(refused) refused, \(accepted.count) read: \(accepted)")
        #expect(accepted == ["simple-ns.xml", "simple.xml"])
        #expect(refused == 20)
    }
}
