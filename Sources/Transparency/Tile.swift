/// The place of one tile: up to 256 neighbouring hashes of one height (C2SP tlog-tiles, "Merkle Tree").
package struct Tile: Sendable, Hashable {
    /// How many hashes a full tile has.
    package static let fullWidth = 256

    /// The height of its hashes in tiles: a hash stands for `256^level` leaves.
    package let level: Int
    package let number: UInt64
    /// How many hashes it has, 1 to 256.
    package let width: Int

    /// A tile of the level, 0 to 7, with `width` hashes, 1 to 256.
    package init(level: Int, number: UInt64, width: Int = fullWidth) {
        self.level = level
        self.number = number
        self.width = width
    }

    /// Its path below the log's prefix (C2SP tlog-tiles: `tile/<L>/<N>[.p/<W>]`).
    package var path: String { "tile/\(level)/\(Self.element(number, width))" }

    /// The path of the bundle with `width` entries below the log's prefix (C2SP tlog-tiles, "Log entries").
    package static func bundlePath(_ number: UInt64, width: Int = fullWidth) -> String {
        "tile/entries/\(element(number, width))"
    }

    /// All tiles of a tree of `size` leaves at `level`, the partial one last; none behind the tree's height.
    package static func all(level: Int, size: UInt64) -> [Tile] {
        let hashes = size >> (8 * UInt64(level))
        let (full, rest) = hashes.quotientAndRemainder(dividingBy: UInt64(fullWidth))
        var tiles = (0..<full).map { Tile(level: level, number: $0) }
        if rest > 0 { tiles.append(Tile(level: level, number: full, width: Int(rest))) }
        return tiles
    }

    /// The tile with the hash of `256^level` leaves at `index`, as wide as a tree of `size` leaves has it.
    init(level: Int, holding index: UInt64, size: UInt64) {
        let number = index >> 8
        let hashes = size >> (8 * UInt64(level))
        self.init(level: level, number: number, width: Int(min(256, hashes - number << 8)))
    }

    /// Groups of three digits, all but the last behind an x; a partial tile's width behind `.p/`.
    private static func element(_ number: UInt64, _ width: Int) -> String {
        var rest = number / 1000
        var path = digits(number % 1000)
        while rest > 0 {
            path = "x\(digits(rest % 1000))/\(path)"
            rest /= 1000
        }
        return width == fullWidth ? path : "\(path).p/\(width)"
    }

    private static func digits(_ number: UInt64) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: 3 - text.count) + text
    }
}
