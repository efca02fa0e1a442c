"""The second reader of the audit log accepts a log of real signatures, and can say no."""

import sqlite3

import pytest

import audit
import contract
import documents


def test_it_notices_what_is_missing_or_changed(fresh):
    fresh.start()
    answers = [fresh.prescribe(documents.prescribing()) for _ in range(3)]
    signed = [
        (answer.json()["signatureId"], contract.digest_to_sign(documents.document_of(answer), "PrescriptionSign"))
        for answer in answers
    ]
    assert fresh.stop() == 0
    digests = fresh.signs()
    log = audit.examine(fresh.home, signed, digests)
    intent = next(each.sequence for each in log if each.is_intent)
    for wrong in ([("0" * 32, signed[0][1])], [(signed[0][0], b"x" * 32)]):
        with pytest.raises(AssertionError):
            audit.examine(fresh.home, wrong, digests)
    for wrong in ([*digests, b"x" * 32], digests[1:], [*digests, digests[0]]):
        with pytest.raises(AssertionError):
            audit.examine(fresh.home, signed, wrong)
    connection = sqlite3.connect(contract.database(fresh.home))
    (leaf,) = connection.execute("SELECT leaf FROM audit_entry WHERE sequence = ?", (intent,)).fetchone()
    for changed in (leaf[:-1] + bytes([leaf[-1] ^ 1]), leaf[:-1], leaf + b"\0"):
        connection.execute("UPDATE audit_entry SET leaf = ? WHERE sequence = ?", (changed, intent))
        connection.commit()
        with pytest.raises(AssertionError):
            audit.examine(fresh.home, signed, digests)
    connection.execute("UPDATE audit_entry SET leaf = ? WHERE sequence = ?", (leaf, intent))
    connection.commit()
    audit.examine(fresh.home, signed, digests)
    connection.execute("DELETE FROM audit_entry WHERE sequence = (SELECT max(sequence) FROM audit_entry)")
    connection.commit()
    with pytest.raises(AssertionError):
        audit.examine(fresh.home, signed, digests)
