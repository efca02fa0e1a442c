import HPKI
import Web
import YAML

// What the file says of the reviewer's console.
extension Reading {
    mutating func console(_ node: YAMLNode?) -> WebSettings.Console? {
        guard let map = node?.mapping(allowed: ["signIn", "idle", "sessions"], faults: &faults) else { return nil }
        var console = WebSettings.Console(
            signIn: required("signIn", in: map, or: .development) { (node) throws(YAMLError) in
                try node.choice(WebSettings.Console.SignIn.self)
            })
        console.idleSeconds = Int(duration("idle", in: map, or: Int64(console.idleSeconds), 60...86_400))
        console.sessions = number("sessions", in: map, or: console.sessions, 1...100_000)
        return console
    }
}

extension Configuration {
    /// What of the console a production instance refuses.
    var consoleFaults: [String] {
        switch web.console?.signIn {
        case nil: []
        case .development:
            [
                """
                `console.signIn`: development is refused in production, and there is no other sign-in yet; remove `console` \
                and the group console of `listeners`
                """
            ]
        }
    }
}
