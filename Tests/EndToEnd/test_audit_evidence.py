"""What leaves the log is checked by the other program: exports, proofs, receipts, checkpoints, tiles, rotations."""

import csv
import json
import shutil
import sqlite3

import pytest

import contract
import documents
import verify_audit
from instance import problem, shirushi


def keys(instance):
    return shirushi("audit", "keys", "--home", instance.home).stdout.split()


def options(instance):
    return [part for key in keys(instance) for part in ("--key", key)]


def export(instance, path, *filters):
    shirushi("audit", "export", "--home", instance.home, "--out", path, *filters)
    return path


def assert_holds(result):
    assert result.code == 0, result.out + result.err
    assert "HOLDS" in result.out and "DOES NOT HOLD" not in result.out


@pytest.fixture
def signed(fresh):
    """An instance that serves, with a few signatures of two holders in it."""
    fresh.start()
    for holder in ("doctor-1", "doctor-1", "dentist-1"):
        assert fresh.prescribe(documents.prescribing(), holder=holder).status_code == 200
    return fresh


def test_a_complete_export_and_selections_hold_while_it_serves(signed, tmp_path):
    assert_holds(verify_audit.spawn("export", export(signed, tmp_path / "all.jsonl"), *options(signed)))
    chosen = export(signed, tmp_path / "chosen.jsonl", "--holder", "dentist-1")
    assert_holds(verify_audit.spawn("export", chosen, *options(signed)))
    lines = [json.loads(line) for line in chosen.read_text().splitlines()]
    assert not lines[0]["complete"] and len(lines) > 2 and all("proof" in line for line in lines[1:])
    assert {line["kind"] for line in lines[1:]} >= {"intent", "outcome"}, "an outcome is of whom its intent names"
    hospital = export(signed, tmp_path / "hospital.jsonl", "--facility", "1319999999")
    assert_holds(verify_audit.spawn("export", hospital, *options(signed)))
    kinds = [json.loads(line)["kind"] for line in hospital.read_text().splitlines()[1:]]
    assert sorted(kinds) == ["intent"] * 3 + ["outcome"] * 3
    pharmacy = export(signed, tmp_path / "pharmacy.csv", "--facility", "1349999999", "--format", "csv")
    assert len(pharmacy.read_text().splitlines()) == 1
    unknown = shirushi("audit", "export", "--home", signed.home, "--facility", "nowhere", check=False)
    assert unknown.returncode != 0 and "no client system of the facility" in unknown.stderr
    assert not export(signed, tmp_path / "nobody.jsonl", "--holder", "nobody").read_text().splitlines()[1:]


def test_one_record_is_proven_and_disclosed_in_part(signed, tmp_path):
    number = next(
        json.loads(line)["sequence"]
        for line in shirushi("audit", "list", "--home", signed.home, "--json").stdout.splitlines()
        if json.loads(line)["kind"] == "intent"
    )
    for arguments, fields in (
        (("prove", number), set()),
        (("disclose", number, "--field", "document", "--field", "decision"), {"document", "decision"}),
    ):
        text = shirushi("audit", *arguments, "--home", signed.home).stdout
        path = tmp_path / f"{arguments[0]}.jsonl"
        path.write_text(text)
        assert_holds(verify_audit.spawn("export", path, *options(signed)))
        record = json.loads(text.splitlines()[1])
        assert {opening["name"] for opening in record["detail"]} == fields and "doctor-1" not in text
        path.write_text(text.replace(record["proof"][0], record["proof"][-1], 1))
        assert verify_audit.spawn("export", path, *options(signed)).code != 0
    assert shirushi("audit", "prove", 10**6, "--home", signed.home, check=False).returncode != 0


def test_a_receipt_goes_with_the_answer_and_can_be_had_later(signed, tmp_path):
    token = signed.token("doctor-1")
    answer = signed.post("/v1/prescriptions", {**documents.prescribing(), "receipt": "full"}, token)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(body["evidence"]))
    assert_holds(verify_audit.spawn("receipt", path, *options(signed)))
    later = signed.get(f"/v1/signatures/{body['signatureId']}/receipt", token)
    assert later.status_code == 200
    path.write_bytes(later.content)
    assert_holds(verify_audit.spawn("receipt", path, *options(signed)))
    opened = {o["name"]: o["value"] for record in later.json()["records"] for o in record["detail"]}
    assert opened["signature"] == body["signatureId"] and opened["holder"] == "doctor-1"
    problem(signed.get(f"/v1/signatures/{body['signatureId']}/receipt", signed.token("dentist-1")), "not-found")
    problem(signed.get(f"/v1/signatures/{body['signatureId']}/receipt"), "missing-token")
    bad = signed.post("/v1/prescriptions", {**documents.prescribing(), "receipt": "long"}, token)
    problem(bad, "malformed-request")


def test_receipts_of_a_batch(signed, tmp_path):
    body = {
        "format": "cades",
        "receipt": "full",
        "documentDigests": [{"digest": documents.b64(bytes([n]) * 32)} for n in range(3)],
    }
    answer = signed.post("/v1/signatures", body, signed.token("doctor-1"))
    assert answer.status_code == 200, answer.text
    for number, each in enumerate(answer.json()["signatures"]):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(each["evidence"]))
        assert_holds(verify_audit.spawn("receipt", path, *options(signed)))


def test_the_log_as_tiles(signed, tmp_path):
    folder = tmp_path / "log"
    shirushi("audit", "tiles", "--home", signed.home, "--out", folder)
    assert_holds(verify_audit.spawn("tiles", folder, *options(signed)))
    assert shirushi("audit", "tiles", "--home", signed.home, "--out", folder, check=False).returncode != 0


def test_both_keys_sign_until_the_older_is_retired(signed, tmp_path):
    old = keys(signed)
    early = tmp_path / "early.checkpoint"
    early.write_text(shirushi("audit", "checkpoint", "--home", signed.home).stdout)
    assert len(old) == 1
    both = shirushi("audit", "keys", "add", "--home", signed.home).stdout.split()
    assert len(both) == 2 and both[0] == old[0]
    between = tmp_path / "between.jsonl"
    export(signed, between)
    for key in both:
        assert_holds(verify_audit.spawn("export", between, "--key", key))
    identifier = old[0].split("+")[1]
    assert shirushi("audit", "keys", "retire", identifier, "--home", signed.home).stdout.split() == both[1:]
    assert signed.prescribe(documents.prescribing()).status_code == 200
    after = export(signed, tmp_path / "after.jsonl")
    assert_holds(verify_audit.spawn("export", after, "--key", both[1]))
    assert verify_audit.spawn("export", after, "--key", old[0]).code != 0
    # The old checkpoint goes on to count for whoever holds the old key.
    assert_holds(verify_audit.spawn("export", after, "--key", both[1], "--key", old[0], "--previous", early))
    assert shirushi("audit", "keys", "retire", both[1].split("+")[1], "--home", signed.home, check=False).returncode
    assert signed.stop() == 0
    signed.start()
    assert signed.audit_verifies() and keys(signed) == both[1:]


def test_a_rollback_of_the_whole_instance_is_seen_by_a_saved_checkpoint(signed, tmp_path):
    assert signed.stop() == 0
    yesterday = tmp_path / "yesterday"
    shutil.copytree(signed.home, yesterday, symlinks=True)
    signed.start()
    assert signed.prescribe(documents.prescribing()).status_code == 200
    saved = tmp_path / "saved.checkpoint"
    saved.write_text(shirushi("audit", "checkpoint", "--home", signed.home).stdout)
    assert signed.stop() == 0
    since = ("audit", "verify", "--home", signed.home, "--since", saved)
    assert "saved checkpoint" in shirushi(*since).stdout
    shutil.rmtree(signed.home / "data")
    shutil.copytree(yesterday / "data", signed.home / "data")
    # From within, the older copy holds together.
    assert signed.audit_verifies()
    rolled = shirushi(*since, check=False)
    assert rolled.returncode == 1 and "it was rolled back" in rolled.stdout, rolled.stdout
    # And once it has grown as long, it is another log.
    signed.start()
    while int(shirushi("audit", "checkpoint", "--home", signed.home).stdout.split("\n")[1]) < int(
        saved.read_text().split("\n")[1]
    ):
        assert signed.prescribe(documents.prescribing()).status_code == 200
    forked = shirushi(*since, check=False)
    assert forked.returncode == 1 and "is not the one that was checkpointed" in forked.stdout, forked.stdout


def test_an_edited_tile_is_named(signed):
    for _ in range(130):
        assert signed.prescribe(documents.prescribing()).status_code == 200
    assert signed.stop() == 0
    with sqlite3.connect(contract.database(signed.home)) as connection:
        connection.execute("UPDATE audit_tile SET hashes = zeroblob(8192) WHERE level = 0 AND number = 0")
    connection.close()
    run = shirushi("audit", "verify", "--home", signed.home, check=False)
    assert run.returncode == 1 and "FAULT  the tile tile/0/000 is not that of its records" in run.stdout


def test_a_table_for_reading_has_no_formulas(signed):
    text = shirushi("audit", "export", "--home", signed.home, "--format", "csv", "--kind", "intent").stdout
    rows = text.splitlines()
    assert rows[0].startswith('"sequence","time","kind"') and len(rows) > 3
    assert not any(cell[:1] in ("=", "+", "@", "-") for row in csv.reader(rows[1:]) for cell in row)
