import Development
import HPKI
import Host
import Logging
import Web

/// The time-stamping authority of a development instance, on a loopback port of its own.
///
/// It runs in `serve`, which works with the development authorities' keys anyway; a production configuration has no
/// such port.
enum DevelopmentTimestamps {
    /// Serves until its task is cancelled; without it the instance serves all the same, and has no time stamps.
    static func serve(_ home: Home, port: Int, _ logger: Logger) async {
        do {
            guard let authority = try DevelopmentAuthorities(home: home).timeStampAuthority() else {
                throw CommandError("there is no \(home.developmentTimestamps)")
            }
            let listener = ExchangeListener(
                port: port, path: "/timestamps", takes: "application/timestamp-query",
                gives: "application/timestamp-reply", atMost: 4096, logger: logger
            ) { request in
                authority.answer(request, random: .live, now: WallClock.live.now())
            }
            try await listener.run()
        } catch {
            logger.error(
                "the development time-stamping authority does not serve",
                metadata: ["port": "\(port)", "cause": "\(error)"])
        }
        // The instance goes on without it: what ends here would end serve.
        while (try? await Task.sleep(for: .seconds(3600))) != nil {}
    }
}
