import Storage

/// A table that says which records of which chunk have a term.
struct Posting {
    /// All records by all their terms.
    static let all = Posting("posting")
    /// Intents by their client systems.
    static let clientUses = Posting("client_use")

    private let selectPlaces: String
    private let selectCount: String
    private let upsert: String
    private let delete: String

    private init(_ table: String) {
        selectPlaces = "SELECT places FROM \(table) WHERE chunk = $1 AND term = $2"
        selectCount = "SELECT count FROM \(table) WHERE chunk = $1 AND term = $2"
        upsert =
            """
            INSERT INTO \(table) (chunk, term, count, places) VALUES ($1, $2, $3, $4)
            ON CONFLICT (chunk, term) DO UPDATE SET count = excluded.count, places = excluded.places
            """
        delete = "DELETE FROM \(table) WHERE chunk = $1 AND term = $2"
    }

    /// The records of one chunk that have a term; nil for none.
    func read(term: Int64, chunk: Int64, _ connection: any SQLConnection) throws -> PostingSet? {
        try connection.queryOne(selectPlaces, [.integer(chunk), .integer(term)]).map {
            try PostingSet(try $0.blob("places"))
        }
    }

    /// How many records of one chunk have a term.
    func count(term: Int64, chunk: Int64, _ connection: any SQLConnection) throws -> Int {
        Int(clamping: try connection.queryOne(selectCount, [.integer(chunk), .integer(term)])?.integer("count") ?? 0)
    }

    func insert(_ places: [UInt16], term: Int64, chunk: Int64, _ connection: any SQLConnection) throws {
        var set = try read(term: term, chunk: chunk, connection) ?? PostingSet()
        set.insert(places)
        try write(set, term: term, chunk: chunk, connection)
    }

    /// Removes one record; a chunk without any has no row.
    func remove(_ sequence: Int64, term: Int64, _ connection: any SQLConnection) throws {
        let (chunk, place) = sequence.quotientAndRemainder(dividingBy: Int64(PostingSet.width))
        guard var set = try read(term: term, chunk: chunk, connection) else { return }
        set.remove(UInt16(truncatingIfNeeded: place))
        if set.count > 0 { return try write(set, term: term, chunk: chunk, connection) }
        try connection.execute(delete, [.integer(chunk), .integer(term)])
    }

    private func write(_ set: PostingSet, term: Int64, chunk: Int64, _ connection: any SQLConnection) throws {
        try connection.execute(
            upsert, [.integer(chunk), .integer(term), .integer(Int64(set.count)), .blob(set.bytes)])
    }
}
