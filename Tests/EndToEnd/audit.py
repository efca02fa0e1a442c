"""The audit log read by another hand: SQLite, leaves, commitments, tree and head, with no code of the product.

Written from the format alone, so that a mistake in the product's reader is not repeated here.
"""

import hashlib
import sqlite3
import zlib
from dataclasses import dataclass

import contract

KINDS = {
    1: "intent",
    2: "outcome",
    3: "refusal",
    4: "start",
    5: "stop",
    6: "configuration",
    7: "administration",
    8: "inspection",
}
FIELDS = {
    1: "holder",
    2: "signature",
    3: "document",
    4: "key",
    5: "bytes-to-sign",
    6: "activation",
    7: "decision",
    8: "client",
    9: "request",
    10: "signature-value",
    11: "note",
    12: "prescription",
    13: "custody",
    14: "authority",
    15: "registration",
    16: "transition",
    17: "reviewer",
    18: "subject",
}
SIGNED, FAILED, UNKNOWN = 1, 2, 3


class Reader:
    """Big-endian integers and counted texts, to the last byte."""

    def __init__(self, content):
        self.content, self.position = content, 0

    def raw(self, count):
        assert self.position + count <= len(self.content), "the record ends too early"
        self.position += count
        return self.content[self.position - count : self.position]

    def integer(self, size, signed=False):
        return int.from_bytes(self.raw(size), "big", signed=signed)

    def text(self):
        return self.raw(self.integer(4)).decode()

    def end(self):
        assert self.position == len(self.content), "the record has more bytes than fields"


@dataclass
class Entry:
    sequence: int
    time: int
    kind: str
    code: int
    intent: int | None
    pseudonym: bytes
    fields: dict

    @property
    def is_intent(self):
        return self.kind == "intent"

    @property
    def is_outcome(self):
        return self.kind == "outcome"

    @property
    def digest(self):
        """What the key signs, hashed; intents have it."""
        return bytes.fromhex(self.fields["bytes-to-sign"]) if "bytes-to-sign" in self.fields else None

    def holds(self, *, digest=None, text=None):
        """Whether the entry is about that digest, or has that text in a field."""
        if digest is not None:
            return self.digest == digest
        return any(text in value for value in self.fields.values())


def entry(leaf, detail):
    """One entry, its commitments checked against its detail."""
    reader = Reader(leaf)
    assert reader.integer(1) == 1, "version"
    sequence, time = reader.integer(8), reader.integer(8, signed=True)
    kind, code = KINDS[reader.integer(2)], reader.integer(2)
    intent = reader.integer(8) if reader.integer(1) else None
    pseudonym = reader.raw(16)
    commitments = [(reader.integer(1), reader.raw(32)) for _ in range(reader.integer(2))]
    reader.end()
    fields = {}
    if detail is not None:
        reader = Reader(detail)
        opened = []
        for _ in range(reader.integer(2)):
            number, salt, value = reader.integer(1), reader.raw(16), reader.text()
            encoded = value.encode()
            opened.append(
                (
                    number,
                    hashlib.sha256(
                        b"shirushi/commitment/1\n" + bytes([number]) + salt + len(encoded).to_bytes(4, "big") + encoded
                    ).digest(),
                )
            )
            fields[FIELDS[number]] = value
        reader.end()
        assert opened == commitments, "the detail is not what the leaf commits to"
    return Entry(sequence, time, kind, code, intent, pseudonym, fields)


def root(leaves):
    """The Merkle tree hash of RFC 9162 §2.1.1, by its definition."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:split]) + root(leaves[split:])).digest()


def rows(home):
    connection = sqlite3.connect(f"file:{contract.database(home)}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT sequence, leaf, detail FROM audit_entry ORDER BY sequence").fetchall()
    finally:
        connection.close()


def entries(home):
    """Every entry of the log, oldest first."""
    return [entry(leaf, detail) for _, leaf, detail in rows(home)]


def head(home):
    """Size and root of the tree as the head file has them: the newer of its two whole slots."""
    content = contract.audit_head(home).read_bytes()
    slots = []
    for start in (0, 4096):
        reader = Reader(content[start : start + 4096])
        magic, number, value = reader.raw(8), reader.integer(8), reader.raw(reader.integer(4))
        if magic == b"SHRHEAD1" and reader.integer(4) == zlib.crc32(reader.content[: reader.position - 4]):
            slots.append((number, value))
    _, value = max(slots)
    assert len(value) == 73 and value[0] == 1
    return int.from_bytes(value[1:9], "big"), value[9:41]


def examine(home, answers, digests):
    """The promises about a log at rest: `answers` are (signature id, digest signed) that clients received,
    `digests` what the token was asked to sign. Gives the entries.
    """
    connection = sqlite3.connect(f"file:{contract.database(home)}?mode=ro", uri=True)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    found = rows(home)
    log = [entry(leaf, detail) for _, leaf, detail in found]
    assert [each.sequence for each in log] == [row[0] for row in found] == list(range(len(log)))
    assert all(earlier.time <= later.time for earlier, later in zip(log, log[1:]))
    assert head(home) == (len(log), root([row[1] for row in found])), "the head is not the log's"

    intents = {each.sequence: each for each in log if each.is_intent}
    outcomes = {}
    for each in log:
        if each.is_outcome:
            assert each.intent in intents and each.intent < each.sequence, "an outcome without an earlier intent"
            assert each.intent not in outcomes, "two outcomes for one intent"
            outcomes[each.intent] = each
    open_intents = set(intents) - set(outcomes)
    assert not open_intents, f"intents left open: {sorted(open_intents)[:5]}"

    by_digest = {}
    for each in intents.values():
        earlier = by_digest.get(each.digest)
        # Only where the key was certainly not used may the same bytes be tried again.
        assert earlier is None or outcomes[earlier.sequence].code == FAILED, "two intents for the same bytes"
        by_digest[each.digest] = each
    assert len(digests) == len(set(digests)), "the same bytes were signed twice"
    for digest in digests:
        assert digest in by_digest, "a key was used without an intent"
    for signature_id, digest in answers:
        intent = by_digest.get(digest)
        assert intent, "a client holds a signature without an intent"
        assert intent.fields["signature"] == signature_id
        assert outcomes[intent.sequence].code == SIGNED, "a client holds a signature whose outcome is not `signed`"
        assert digest in digests, "a client holds a signature that the token did not make"
    return log
