package import HPKI
package import Storage

/// Which holder a card without a 本人ID belongs to: a My Number card says nothing of its bearer's profession.
///
/// A card is known by its issuer's key and its serial number; both stay in this table and reach no log.
package enum CardLinkStore {
    /// One certificate of a card.
    package struct Card: Sendable, Hashable {
        /// The issuer's key identifier, which tells CA generations of one name apart.
        package let issuerKey: [UInt8]
        package let serial: [UInt8]

        /// A card's certificate.
        package init(issuerKey: [UInt8], serial: [UInt8]) {
            self.issuerKey = issuerKey
            self.serial = serial
        }
    }

    /// The table that this module owns; a card belongs to one holder.
    package static let part = SchemaPart(
        "card-link",
        versions: [
            """
            CREATE TABLE card_link (
                issuer_key BLOB NOT NULL,
                serial BLOB NOT NULL,
                holder TEXT NOT NULL,
                linked_at BIGINT NOT NULL,
                PRIMARY KEY (issuer_key, serial)
            );
            CREATE INDEX card_link_holder ON card_link (holder);
            """
        ]
    )

    /// The holder of a card; nil where it is linked to nobody.
    package static func holder(of card: Card, in connection: any SQLConnection) throws(StorageError) -> HolderID? {
        let row = try connection.queryOne(
            "SELECT holder FROM card_link WHERE issuer_key = $1 AND serial = $2",
            [.blob(card.issuerKey), .blob(card.serial)])
        return HolderID(try row?.text("holder") ?? "")
    }

    /// The certificates linked to a holder.
    package static func cards(of holder: HolderID, in connection: any SQLConnection) throws(StorageError) -> [Card] {
        var cards: [Card] = []
        for row in try connection.query(
            "SELECT issuer_key, serial FROM card_link WHERE holder = $1 ORDER BY linked_at",
            [.text(holder.description)])
        {
            cards.append(Card(issuerKey: try row.blob("issuer_key"), serial: try row.blob("serial")))
        }
        return cards
    }

    /// Links a card in the place of the holder's card before; gives false where it belongs to another holder.
    package static func link(
        _ card: Card, to holder: HolderID, at now: Instant, in connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        if let other = try Self.holder(of: card, in: connection), other != holder { return false }
        try unlink(holder, in: connection)
        try connection.execute(
            "INSERT INTO card_link (issuer_key, serial, holder, linked_at) VALUES ($1, $2, $3, $4)",
            [.blob(card.issuerKey), .blob(card.serial), .text(holder.description), .integer(now.milliseconds)])
        return true
    }

    /// Forgets a holder's card.
    package static func unlink(_ holder: HolderID, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute("DELETE FROM card_link WHERE holder = $1", [.text(holder.description)])
    }
}
