"""Makes the log of an instance at rest longer, by docs/audit-format.md and with the instance's own secrets.

A mark is made behind each 32,768 records, and so many would take minutes to be signed. What is written here the product
must find as good as its own, so it is also a second writer of the format.
"""

import hashlib
import hmac
import os
import sqlite3
import zlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import audit
import contract
from evidence import b64, mth, sha256

NOTE = 11


def text(value):
    encoded = value.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def record(sequence, at, note):
    """Leaf and detail of an administration act."""
    salt = os.urandom(16)
    opening = bytes([NOTE]) + salt + text(note)
    leaf = (
        b"\1" + sequence.to_bytes(8, "big") + at.to_bytes(8, "big") + (7).to_bytes(2, "big") + bytes(2) + b"\0"
        + bytes(16) + (1).to_bytes(2, "big") + bytes([NOTE]) + sha256(b"shirushi/commitment/1\n" + opening)
    )  # fmt: skip
    return leaf, (1).to_bytes(2, "big") + opening


def signatures(home, size, root):
    """A checkpoint's signatures by all keys of the log, as a commit's row has them."""
    origin = contract.origin(home)
    seeds = (home / "secrets" / "checkpoint.key").read_bytes()
    body = f"{origin}\n{size}\n{b64(root)}\n".encode()
    found = []
    for start in range(0, len(seeds), 32):
        key = Ed25519PrivateKey.from_private_bytes(seeds[start : start + 32])
        identifier = sha256(origin.encode() + b"\n\1" + key.public_key().public_bytes_raw())[:4]
        value = key.sign(body)
        found.append(text(origin) + identifier + len(value).to_bytes(4, "big") + value)
    return len(found).to_bytes(2, "big") + b"".join(found)


def tiles(hashes):
    """Every tile that is stored for a log of these leaf hashes."""
    level = 0
    while len(hashes) >= (256 if level == 0 else 1):
        for number in range(0, (len(hashes) + 255) // 256):
            part = hashes[number * 256 : number * 256 + 256]
            if level > 0 or len(part) == 256:
                yield level, number, b"".join(part)
        hashes = [mth(hashes[start : start + 256]) for start in range(0, len(hashes) // 256 * 256, 256)]
        level += 1


def lengthen(home, size):
    """Adds records until there are `size`, in one commit."""
    key = (home / "secrets" / "log.key").read_bytes()
    connection = sqlite3.connect(contract.database(home))
    old = audit.rows(home)
    at = audit.entry(old[-1][1], None).time
    added = [(sequence, *record(sequence, at, "a test's act")) for sequence in range(len(old), size)]
    hashes = [sha256(b"\0" + row[1]) for row in [*old, *added]]
    root = mth(hashes)
    head = b"\1" + size.to_bytes(8, "big") + root
    seal = hmac.new(key, head, hashlib.sha256).digest()
    with connection:
        connection.executemany("INSERT INTO audit_entry (sequence, leaf, detail) VALUES (?, ?, ?)", added)
        connection.executemany(
            "INSERT OR REPLACE INTO audit_tile (level, number, hashes) VALUES (?, ?, ?)", tiles(hashes)
        )
        connection.execute(
            "INSERT INTO audit_commit (size, root, seal, signatures) VALUES (?, ?, ?, ?)",
            (size, root, seal, signatures(home, size, root)),
        )
    connection.close()
    path = contract.audit_head(home)
    number = 1 + max(int.from_bytes(path.read_bytes()[start + 8 : start + 16], "big") for start in (0, 4096))
    slot = b"SHRHEAD1" + number.to_bytes(8, "big") + (73).to_bytes(4, "big") + head + seal
    slot += zlib.crc32(slot).to_bytes(4, "big")
    with open(path, "r+b") as file:
        file.seek(number % 2 * 4096)
        file.write(slot.ljust(4096, b"\0"))
