"""Writes a log of synthetic records for measuring the index: no instance ever made them, and nothing seals them.

Leaves and details have the format and the usual lengths; commitments and digests are random bytes. Holders, client
systems and times are drawn so as to look like a year of prescribing: 20 000 holders, 3 000 client systems, in office
hours.
"""

import argparse
import os
import random
import sqlite3
import struct
import time

DAY = 86_400_000
START = 1_767_193_200_000  # 2026-01-01T00:00 in Japan
FORMS = ["prescription"] * 6 + ["dispensing"] * 3 + ["other"]
FAILURES = ["denied", "windowElapsed", "noCredential", "credentialUnusable", "invalidXML", "prescriptionRejected"]


def text(value):
    value = value.encode()
    return struct.pack(">I", len(value)) + value


def detail(fields, salt):
    return struct.pack(">H", len(fields)) + b"".join(bytes([field]) + salt + text(value) for field, value in fields)


def leaf(sequence, moment, kind, code, intent, fields, noise):
    head = struct.pack(">BQqHH", 1, sequence, moment, kind, code)
    head += b"\0" if intent is None else struct.pack(">BQ", 1, intent)
    commitments = b"".join(bytes([field]) + noise for field, _ in fields)
    return head + noise[:16] + struct.pack(">H", len(fields)) + commitments


def records(count, holders, clients, draw):
    """(sequence, leaf, detail) in order; each intent's outcome follows within a few records."""
    waiting = []
    span = max(DAY, count * 365 * DAY // 10_000_000)
    for sequence in range(count):
        # Office hours but for one use in five hundred.
        day, share = divmod(sequence * span // count, DAY)
        night = draw.random() < 0.002
        moment = START + day * DAY + (share // 24 if night else DAY // 3 + share // 2)
        noise = draw.randbytes(32)
        value = noise.hex()
        chance = draw.random()
        if waiting and (chance < 0.48 or len(waiting) > 8):
            intent, signature = waiting.pop(0)
            code = 1 if draw.random() < 0.998 else draw.choice((2, 3))
            fields = [(2, signature), (10, value) if code == 1 else (11, "the module gave no value")]
            yield sequence, leaf(sequence, moment, 2, code, intent, fields, noise), detail(fields, noise[:16])
            continue
        holder = draw.randrange(holders)
        client = (holder * 7 + (draw.randrange(3) if draw.random() < 0.1 else 0)) % clients
        named = [(1, f"holder-{holder:06}")]
        activation = f"issuer=https://id.example\nsubject=s-{holder}\nmethod=hpki-card\nauth_time={moment}"
        activation += f"\ntoken={value}"
        if chance < 0.96:
            signature = f"{sequence:032x}"
            waiting.append((sequence, signature))
            fields = named + [
                (2, signature),
                (3, f"{draw.choice(FORMS)}:SHA-256:{value}"),
                (4, f"key-{holder:06}:{value}"),
                (5, value),
                (6, activation),
                (7, f"prescribe:{value}"),
                (9, f"r-{sequence:012}"),
                (13, "hsm"),
                (8, f"client-{client:05}"),
            ]
            kind = 1
        elif chance < 0.99:
            fields = named + [
                (3, "prescription:none"),
                (6, activation),
                (7, "-"),
                (11, draw.choice(FAILURES)),
                (9, f"r-{sequence:012}"),
                (8, f"client-{client:05}"),
            ]
            kind = 3
        else:
            fields = named + [
                (11, "suspend"),
                (14, "authority=jma\nground=operator"),
                (9, f"r-{sequence:012}"),
                (15, f"credential:key-{holder:06}:2:{value}"),
                (16, "active>suspended"),
            ]
            kind = 7
        yield sequence, leaf(sequence, moment, kind, 0, None, fields, noise), detail(fields, noise[:16])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--holders", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=3_000)
    parser.add_argument("--folder", required=True)
    options = parser.parse_args()
    os.makedirs(options.folder, mode=0o700, exist_ok=True)
    path = os.path.join(options.folder, "core.sqlite")
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(
        """
        PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
        CREATE TABLE schema_part (name TEXT PRIMARY KEY, version BIGINT NOT NULL);
        CREATE TABLE audit_entry (sequence BIGINT PRIMARY KEY, leaf BLOB NOT NULL, detail BLOB);
        CREATE TABLE audit_commit (size BIGINT PRIMARY KEY, root BLOB NOT NULL, seal BLOB NOT NULL);
        CREATE INDEX audit_entry_erased ON audit_entry (sequence) WHERE detail IS NULL;
        INSERT INTO schema_part VALUES ('audit', 1), ('audit-erasure', 1);
        """
    )
    begun = time.monotonic()
    source = records(options.records, options.holders, options.clients, random.Random(5))
    while batch := [row for _, row in zip(range(50_000), source)]:
        database.execute("BEGIN")
        database.executemany("INSERT INTO audit_entry VALUES (?, ?, ?)", batch)
        database.execute("COMMIT")
        print(f"\r{batch[-1][0] + 1} synthetic records written", end="", flush=True)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = os.path.getsize(path) >> 20
    print(f"\n{options.records} synthetic records in {time.monotonic() - begun:.0f} s, {size} MiB")


if __name__ == "__main__":
    main()
