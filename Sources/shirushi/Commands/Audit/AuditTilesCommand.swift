import ArgumentParser
import Audit
import HPKI
import Host
import Transparency

/// `shirushi audit tiles`: the log as static files that any client of the format reads.
struct AuditTilesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tiles",
        abstract: "Write the log as C2SP tiles: checkpoint, hash tiles and entry bundles.",
        discussion: """
            The bundles hold leaves, which name nobody. The folder must not be
            there yet. scripts/verify-audit tiles checks it.

            EXAMPLE
              shirushi audit tiles --home ./var/home --out ./log
            """
    )

    @OptionGroup var home: HomeOption
    @Option(help: "The folder to make.") var out: String
    @OptionGroup var checkpoint: CosignedOption

    func run() async throws {
        let folder = Paths.absolute(out)
        guard !Files.exists(folder) else { throw CommandError("\(out) is there already") }
        let bar = ProgressBar("tiles written")
        let size = try await LogFolder(home.home).withEvidence(checkpoint.choice) { evidence, connection in
            let writer = TreeWriter(folder)
            let (tiles, bundles) = TileExport.places(evidence.checkpoint.size)
            var done: UInt64 = 0
            for tile in tiles {
                try writer.write(try TileExport.tile(tile, in: connection))
                done += 1
                bar.show(done, of: UInt64(tiles.count + bundles.count))
            }
            for bundle in bundles {
                try writer.write(try TileExport.bundle(bundle, in: connection))
                done += 1
                bar.show(done, of: UInt64(tiles.count + bundles.count))
            }
            // Last, so that a folder with a checkpoint is whole.
            try writer.write(TileExport.File(path: "checkpoint", bytes: Array(evidence.note.encoded.utf8)))
            return evidence.checkpoint.size
        }
        bar.end()
        print("\(size) records are in \(out)")
    }
}
