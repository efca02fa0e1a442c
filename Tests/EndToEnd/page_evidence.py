"""A small log with evidence, made by the documents alone (docs/audit-format.md, RFC 9162, C2SP signed-note)."""

import base64
import copy
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence import b64, mth, path, sha256


def commitment(opening):
    value = opening["value"].encode()
    text = struct.pack(">I", len(value)) + value
    return sha256(b"shirushi/commitment/1\n" + bytes([opening["field"]]) + bytes.fromhex(opening["salt"]) + text)


class Log:
    origin = "log.example/test"

    def __init__(self, size):
        self.details, self.leaves = [], []
        for sequence in range(size):
            detail = [
                {"field": 1, "name": "holder", "salt": f"{sequence:032x}", "value": f"医師-{sequence}"},
                {"field": 11, "name": "note", "salt": f"{sequence + 99:032x}", "value": "<b>note\n"},
            ]
            leaf = struct.pack(">BQqHHB", 1, sequence, 1_800_000_000_000 + sequence, 2, 1, 1)
            leaf += struct.pack(">Q", 0) + bytes(16) + struct.pack(">H", len(detail))
            leaf += b"".join(bytes([each["field"]]) + commitment(each) for each in detail)
            self.details.append(detail)
            self.leaves.append(leaf)
        self.hashes = [sha256(b"\0" + leaf) for leaf in self.leaves]
        self.root = mth(self.hashes)
        key = Ed25519PrivateKey.from_private_bytes(sha256(b"log key"))
        public = b"\x01" + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = sha256(self.origin.encode() + b"\n" + public)[:4]
        self.verifier_key = f"{self.origin}+{self.key_id.hex()}+{b64(public)}"
        note = f"{self.origin}\n{size}\n{b64(self.root)}\n"
        self.checkpoint = f"{note}\n— {self.origin} {b64(self.key_id + key.sign(note.encode()))}\n"

    def evidence(self, sequence):
        record = {
            "sequence": sequence,
            "leaf": b64(self.leaves[sequence]),
            "detail": copy.deepcopy(self.details[sequence]),
            "proof": [b64(each) for each in path(sequence, self.hashes)],
        }
        return {
            "format": "shirushi-receipt/1",
            "origin": self.origin,
            "checkpoint": self.checkpoint,
            "keys": [self.verifier_key],
            "records": [record],
        }

    def changes(self, sequence):
        """Evidence with one thing changed, by what that is."""
        made = {}

        def change(name, alter):
            made[name] = self.evidence(sequence)
            alter(made[name], made[name]["records"][0])

        def flip(text, at=20):
            content = bytearray(base64.b64decode(text))
            content[at] ^= 1
            return b64(bytes(content))

        def alter_note(file, old, new):
            assert old in file["checkpoint"]
            file["checkpoint"] = file["checkpoint"].replace(old, new)

        change("a byte of the leaf", lambda file, record: record.update(leaf=flip(record["leaf"])))
        change("another leaf", lambda file, record: record.update(leaf=b64(self.leaves[0])))
        change("a longer leaf", lambda file, record: record.update(leaf=b64(self.leaves[sequence] + b"\0")))
        change("a disclosed value", lambda file, record: record["detail"][0].update(value="医師-7"))
        change("a salt", lambda file, record: record["detail"][1].update(salt="00" * 16))
        change("a field", lambda file, record: record["detail"][1].update(field=12))
        change("the order of openings", lambda file, record: record["detail"].reverse())
        change("a hash of the path", lambda file, record: record["proof"].__setitem__(1, flip(record["proof"][1])))
        change("a path too short", lambda file, record: record["proof"].pop())
        change("a path too long", lambda file, record: record["proof"].append(record["proof"][0]))
        change("the size", lambda file, record: alter_note(file, f"\n{len(self.leaves)}\n", "\n12\n"))
        change("the root", lambda file, record: alter_note(file, b64(self.root), b64(sha256(b"x"))))
        change("the origin", lambda file, record: alter_note(file, "log.example/test\n", "log.example/other\n"))
        change("the signature", lambda file, record: alter_note(file, "— ", "— x"))
        change("no key", lambda file, record: file.update(keys=[]))
        change("no checkpoint", lambda file, record: file.pop("checkpoint"))
        change("no record", lambda file, record: file.update(records=[]))
        return made
