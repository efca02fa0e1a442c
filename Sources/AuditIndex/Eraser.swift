import HPKI
import Storage

/// Takes out of the index what a record's erased detail told, and words that no record has any more.
///
/// Counts of hours and days stay: they name nobody.
enum Eraser {
    /// Erases one record; false where the index does not have it or it was erased before.
    static func erase(_ sequence: Int64, in connection: any SQLConnection) throws -> Bool {
        guard let line = try IndexLine.read(sequence, connection), !line.isErased else { return false }
        try strip(line, connection)
        try connection.execute("UPDATE entry SET erased = 1 WHERE sequence = $1", [.integer(sequence)])
        // An outcome has from its intent what the intent's detail told.
        if line.counterpart ?? -1 > sequence, let outcome = try IndexLine.read(line.counterpart ?? -1, connection) {
            try strip(outcome, connection)
        }
        return true
    }

    private static func strip(_ line: IndexLine, _ connection: any SQLConnection) throws {
        var terms = Set(
            [line.holder, line.credential, line.client, line.form, line.failure, line.party].compactMap { $0 })
        for row in try connection.query("SELECT term FROM extra WHERE sequence = $1", [.integer(line.sequence)]) {
            terms.insert(try row.integer("term"))
        }
        for term in terms { try Posting.all.remove(line.sequence, term: term, connection) }
        if let client = line.client { try Posting.clientUses.remove(line.sequence, term: client, connection) }
        let sequence = SQLValue.integer(line.sequence)
        for name in [line.signatureName, line.requestName].compactMap({ $0 }) {
            try connection.execute(
                "DELETE FROM name WHERE chunk = $1 AND name = $2 AND sequence = $3",
                [.integer(line.sequence / Int64(PostingSet.width)), .integer(name), sequence])
        }
        try connection.execute("DELETE FROM extra WHERE sequence = $1", [sequence])
        try connection.execute(
            """
            UPDATE entry SET holder = NULL, credential = NULL, client = NULL, form = NULL, failure = NULL,
                party = NULL, signature_name = NULL, request_name = NULL WHERE sequence = $1
            """,
            [sequence])
        for subject in [line.holder, line.party].compactMap({ $0 }) {
            try connection.execute(
                """
                UPDATE anomaly SET subject = 0, client = NULL
                WHERE subject = $1 AND first <= $2 AND last >= $2
                """,
                [.integer(subject), sequence])
        }
        if let holder = line.holder, let client = line.client {
            try connection.execute(
                "DELETE FROM pair WHERE holder = $1 AND client = $2 AND first = $3",
                [.integer(holder), .integer(client), sequence])
        }
        for word in terms {
            try connection.execute(
                "INSERT INTO suspect (id) VALUES ($1) ON CONFLICT DO NOTHING", [.integer(word)])
        }
    }

    /// Deletes the words of persons and client systems that no record has; gives their numbers.
    static func eraseUnusedWords(in connection: any SQLConnection) throws -> [Int64] {
        var gone: [Int64] = []
        let chunks = try IndexTimes.chunks(connection)
        for row in try connection.query("SELECT id FROM suspect") {
            let id = try row.integer("id")
            guard let term = try WordTable.word(id, connection), term.dimension.isErasable,
                try !chunks.contains(where: { try Posting.all.count(term: id, chunk: $0, connection) > 0 })
            else { continue }
            try connection.execute("DELETE FROM word WHERE id = $1", [.integer(id)])
            try connection.execute("DELETE FROM pair WHERE holder = $1", [.integer(id)])
            try connection.execute("DELETE FROM pair WHERE client = $1", [.integer(id)])
            try connection.execute(
                "UPDATE anomaly SET subject = 0, client = NULL WHERE subject = $1", [.integer(id)])
            gone.append(id)
        }
        try connection.execute("DELETE FROM suspect")
        return gone
    }
}
