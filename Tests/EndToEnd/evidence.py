"""A small audit log of Python's own, by docs/audit-format.md and RFC 9162: what `scripts/verify-audit` is tried on.

It shares no code with the product, nor with the verifier: trees and proofs are by the recursive definitions.
"""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import audit

KIND = {name: number for number, name in audit.KINDS.items()}
START = 1_795_222_800_000  # 2026-11-21T01:00:00Z
ORIGIN = "log.example/shirushi"


def b64(data):
    return base64.b64encode(data).decode()


def sha256(data):
    return hashlib.sha256(data).digest()


def mth(leaves):
    """The root over leaf hashes, RFC 9162 §2.1.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + mth(leaves[:split]) + mth(leaves[split:]))


def path(index, leaves):
    """The inclusion proof, RFC 9162 §2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*path(index, leaves[:split]), mth(leaves[split:])]
    return [*path(index - split, leaves[split:]), mth(leaves[:split])]


class Signer:
    """An Ed25519 key with a name: of a log (type 1) or a witness (type 4)."""

    def __init__(self, name, seed, kind=1):
        self.name, self.kind = name, kind
        self.private = Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()))
        self.encoded = bytes([kind]) + self.private.public_key().public_bytes_raw()
        self.id = sha256(name.encode() + b"\n" + self.encoded)[:4]

    @property
    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{b64(self.encoded)}"

    def line(self, body, at=1_795_300_000):
        if self.kind == 1:
            signature = self.private.sign(body.encode())
        else:
            signature = at.to_bytes(8, "big") + self.private.sign(f"cosignature/v1\ntime {at}\n{body}".encode())
        return f"— {self.name} {b64(self.id + signature)}\n"


def note(size, root, signers, origin=ORIGIN):
    body = f"{origin}\n{size}\n{b64(root)}\n"
    return body + "\n" + "".join(each.line(body) for each in signers)


@dataclass
class Entry:
    sequence: int
    kind: str
    code: int = 0
    closes: int | None = None
    pseudonym: bytes = bytes(16)
    fields: list = field(default_factory=list)
    time: int = 0

    def salt(self, place):
        return sha256(f"salt {self.sequence} {place}".encode())[:16]

    def commitment(self, place):
        number, value = self.fields[place]
        text = value.encode()
        head = b"shirushi/commitment/1\n" + bytes([number]) + self.salt(place)
        return bytes([number]) + sha256(head + len(text).to_bytes(4, "big") + text)

    @property
    def leaf(self):
        return b"".join(
            (
                b"\1" + self.sequence.to_bytes(8, "big") + self.time.to_bytes(8, "big", signed=True),
                KIND[self.kind].to_bytes(2, "big") + self.code.to_bytes(2, "big"),
                b"\0" if self.closes is None else b"\1" + self.closes.to_bytes(8, "big"),
                self.pseudonym + len(self.fields).to_bytes(2, "big"),
                *(self.commitment(place) for place in range(len(self.fields))),
            )
        )

    @property
    def detail(self):
        return [
            {"field": number, "name": audit.FIELDS[number], "salt": self.salt(place).hex(), "value": value}
            for place, (number, value) in enumerate(self.fields)
        ]


WORDS = ("abc", "certificate", "token", "policy", "SignedInfo", "value")
DIGESTS = {word: sha256(word.encode()).hex() for word in WORDS}
ACTIVATION = (
    "issuer=https://issuer.example\nsubject=doctor-1\nmethod=hpki-card\nauth_time=1795222200\ntoken=" + DIGESTS["token"]
)


class Log:
    """Entries, and what leaves a log of them."""

    def __init__(self, seed="log"):
        self.key = Signer(ORIGIN, seed)
        self.entries = []

    def add(self, kind, fields, **more):
        sequence = len(self.entries)
        self.entries.append(Entry(sequence, kind, fields=fields, time=START + 1000 * sequence, **more))
        return sequence

    def event(self, kind, words="in order"):
        return self.add(kind, [(11, words)])

    def intent(self, signature=None, holder="doctor-1"):
        sequence = len(self.entries)
        signature = signature or sha256(f"signature {sequence}".encode())[:16].hex()
        fields = [(1, holder), (2, signature), (3, "prescription:sha256:" + DIGESTS["abc"])]
        fields += [(4, "doctor-1-key-1:" + DIGESTS["certificate"]), (5, DIGESTS["SignedInfo"]), (6, ACTIVATION)]
        fields += [(7, "prescribe:" + DIGESTS["policy"]), (9, "f" * 32), (13, "software token")]
        return self.add("intent", fields, pseudonym=sha256(holder.encode())[:16])

    def outcome(self, intent, code=1):
        opened = self.entries[intent]
        last = (10, DIGESTS["value"]) if code == 1 else (11, "device-error")
        fields = [opened.fields[1], last]
        return self.add("outcome", fields, code=code, closes=intent, pseudonym=opened.pseudonym)

    def hashes(self, size=None):
        return [sha256(b"\0" + each.leaf) for each in self.entries[:size]]

    def root(self, size=None):
        return mth(self.hashes(size))

    def checkpoint(self, size=None, signers=None):
        size = len(self.entries) if size is None else size
        return note(size, self.root(size), signers or [self.key])

    def record(self, sequence, *, proven):
        entry = self.entries[sequence]
        told = datetime.fromtimestamp(entry.time // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        record = {
            "sequence": sequence,
            "leaf": b64(entry.leaf),
            "detail": entry.detail,
            "time": f"{told}.{entry.time % 1000:03}Z",
            "kind": entry.kind,
            "code": entry.code,
            "pseudonym": entry.pseudonym.hex(),
        }
        if entry.closes is not None:
            record["closes"] = entry.closes
        if proven:
            record["proof"] = [b64(each) for each in path(sequence, self.hashes())]
        return record

    def export(self, sequences=None, **header):
        """Header and records: all of them, or a selection with proofs."""
        complete = sequences is None
        first = {
            "format": "shirushi-audit/1",
            "origin": ORIGIN,
            "checkpoint": self.checkpoint(),
            "keys": [self.key.vkey],
            "complete": complete,
            **header,
        }
        chosen = range(len(self.entries)) if complete else sequences
        return [first, *(self.record(each, proven=not complete) for each in chosen)]

    def receipt(self, intent, outcome, **header):
        return {
            "format": "shirushi-receipt/1",
            "origin": ORIGIN,
            "checkpoint": self.checkpoint(),
            "keys": [self.key.vkey],
            "records": [self.record(intent, proven=True), self.record(outcome, proven=True)],
            **header,
        }


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def lines(values):
    return "".join(compact(each) + "\n" for each in values).encode()


def sample():
    """21 records of every kind: 5 and 6 close 3 and 4 as signed, 8 failed, 10 is unknown, 15 too, 17 stays open."""
    log = Log()
    log.event("start", "core started: development, software token")
    log.event("configuration", "policy set " + DIGESTS["policy"])
    authority, row = "authority=medis\nground=operator", "credential:a:1:" + "0" * 64
    log.add(
        "administration",
        [(1, "doctor-1"), (11, "order"), (14, authority), (9, "0" * 32), (15, row), (16, ">ordered")],
        pseudonym=sha256(b"doctor-1")[:16],
    )
    first, second = log.intent(), log.intent(holder="dentist-1")
    log.outcome(first)
    log.outcome(second)
    log.outcome(log.intent(), code=2)
    log.outcome(log.intent(), code=3)
    log.add(
        "refusal",
        [
            *[(1, "nurse-1"), (3, "prescription:none"), (6, ACTIVATION), (7, "-")],
            *[(11, "denied"), (9, "1" * 32), (8, "歯科 1")],
        ],
        pseudonym=sha256(b"nurse-1")[:16],
    )
    log.add("refusal", [(14, authority), (11, "order: wrong-state"), (7, "-"), (9, "2" * 32)])
    crashed = log.intent()
    log.event("start", "core started")
    log.add("outcome", [(11, "core ended before the outcome was recorded")], code=3, closes=crashed)
    log.event("administration", "backup 1")
    log.intent()
    log.event("configuration", "another policy set")
    log.event("stop")
    log.event("start", "core started again")
    return log
