"""Retention: archives that hold without the instance, details that are erased for good, and the restore drill."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import time

import pytest

import contract
import documents
import verify_audit
from instance import problem, shirushi

# A client system that nobody else names: it stands in details alone, never in the registry or the configuration.
CANARY = "canary-of-a-client-4711"


def archive(instance, folder, *options):
    shirushi("audit", "archive", "--home", instance.home, "--to", folder, *options)
    return folder


def erase(instance, *options, check=True):
    return shirushi("audit", "erase", "--home", instance.home, *options, check=check)


def keys(instance):
    return [part for key in key_texts(instance) for part in ("--key", key)]


def key_texts(instance):
    return shirushi("audit", "keys", "--home", instance.home).stdout.split()


def details(instance):
    """The numbers of records with and without detail."""
    with sqlite3.connect(f"file:{contract.database(instance.home)}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT sequence, detail IS NULL FROM audit_entry ORDER BY sequence").fetchall()
    return [number for number, gone in rows if not gone], [number for number, gone in rows if gone]


def listed(instance):
    lines = shirushi("audit", "list", "--home", instance.home, "--json").stdout.splitlines()
    return [json.loads(line) for line in lines]


def assert_holds(instance, folder=None):
    """The log by its own verifier and the other program; the archive by both."""
    run = shirushi("audit", "verify", "--home", instance.home, check=False)
    assert run.returncode == 0, run.stdout
    if folder is None:
        return
    told = shirushi("audit", "verify-archive", folder, *keys(instance), check=False)
    assert told.returncode == 0 and "The archive holds" in told.stdout, told.stdout
    foreign = verify_audit.spawn("archive", folder, *keys(instance))
    assert foreign.code == 0 and "HOLDS" in foreign.out and "DOES NOT HOLD" not in foreign.out, foreign.out


@pytest.fixture
def fresh(make_instance):
    return make_instance(options=("--key-type", "p-256"))


@pytest.fixture
def signed(fresh):
    """An instance that serves, with signatures of two holders, one of them from the canary's client system."""
    fresh.start()
    assert fresh.prescribe(documents.prescribing()).status_code == 200
    token = fresh.token("doctor-1", "--client", CANARY)
    fresh.prescribe(documents.prescribing(), token=token)
    assert fresh.prescribe(documents.prescribing(), holder="dentist-1").status_code == 200
    return fresh


def found_canary(instance):
    """The files of the instance that hold the canary."""
    places = (instance.home / "data").rglob("*")
    return [place.name for place in places if place.is_file() and CANARY.encode() in place.read_bytes()]


class TestArchive:
    def test_it_holds_without_the_instance_and_is_written_once(self, signed, tmp_path):
        folder = archive(signed, tmp_path / "archive")
        assert_holds(signed, folder)
        assert not (tmp_path / "archive.writing").exists()
        again = shirushi("audit", "archive", "--home", signed.home, "--to", folder, check=False)
        assert again.returncode == 1 and "exists already" in again.stderr
        texts = keys(signed)
        signed.stop()
        away = signed.home.rename(tmp_path / "away")
        assert shirushi("audit", "verify-archive", folder, *texts).returncode == 0
        away.rename(signed.home)

    def test_until_a_time_it_has_what_came_before(self, signed, tmp_path):
        # The command's times are those of seconds.
        time.sleep(1.1)
        assert signed.prescribe(documents.prescribing()).status_code == 200
        records = listed(signed)
        moment = records[-1]["timeMilliseconds"]
        before = sum(record["timeMilliseconds"] // 1000 < moment // 1000 for record in records)
        folder = archive(signed, tmp_path / "archive", "--until", records[-1]["time"])
        assert_holds(signed, folder)
        assert len((folder / "records.jsonl").read_text().splitlines()) == 1 + before
        early = ("--to", tmp_path / "none", "--until", "2001-01-01T00:00:00Z")
        none = shirushi("audit", "archive", "--home", signed.home, *early, check=False)
        assert none.returncode == 1 and not (tmp_path / "none").exists()

    def test_what_is_changed_in_it_both_programs_find(self, signed, tmp_path):
        whole = archive(signed, tmp_path / "archive")
        lines = (whole / "records.jsonl").read_text().splitlines(keepends=True)
        number = max(at for at, line in enumerate(lines[:-1]) if '"doctor-1"' in line)

        changes = {
            "a word": [line.replace("doctor-1", "doctor-2") for line in lines],
            "a record less": lines[:number] + lines[number + 1 :],
            "the newest less": lines[:-1],
            "one twice": lines + lines[-1:],
            "another order": lines[: number - 1] + [lines[number], lines[number - 1]] + lines[number + 1 :],
        }
        for name, changed in changes.items():
            copy = tmp_path / name.replace(" ", "-")
            shutil.copytree(whole, copy)
            (copy / "records.jsonl").write_text("".join(changed))
            assert shirushi("audit", "verify-archive", copy, *keys(signed), check=False).returncode == 1, name
            assert verify_audit.spawn("archive", copy, *keys(signed)).code == 1, name
        for path in sorted((whole / "log").rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                path.write_bytes(content[:-40] + bytes([content[-40] ^ 1]) + content[-39:])
                assert shirushi("audit", "verify-archive", whole, *keys(signed), check=False).returncode == 1, path
                assert verify_audit.spawn("archive", whole, *keys(signed)).code in (1, 2), path
                path.write_bytes(content)
        shorter = re.sub(r'"detail":\[{.*?},', '"detail":[', lines[number], count=1)
        assert shorter != lines[number] and len(json.loads(shorter)["detail"]) > 1
        (whole / "records.jsonl").write_text("".join(lines[:number] + [shorter] + lines[number + 1 :]))
        assert "FAULT" in shirushi("audit", "verify-archive", whole, *keys(signed), check=False).stdout
        (whole / "records.jsonl").unlink()
        assert verify_audit.spawn("archive", whole, *keys(signed)).code == 1


class TestErasure:
    def test_nothing_is_erased_without_an_archive_that_has_it_and_holds(self, signed, tmp_path):
        unarchived = erase(signed, "--holder", "doctor-1", "--ground", "request-1", check=False)
        assert unarchived.returncode == 64 and "--without-archive" in unarchived.stderr
        assert erase(signed, "--expired", "--holder", "x", "--without-archive", check=False).returncode == 64
        assert erase(signed, "--holder", "x", "--without-archive", check=False).returncode == 64
        named = ("--holder", "doctor-1", "--ground", "Yamada Hanako", "--without-archive")
        assert erase(signed, *named, check=False).returncode == 64
        folder = archive(signed, tmp_path / "archive")
        records = folder / "records.jsonl"
        whole = records.read_text()
        # Details that were taken out of an archive: it still agrees with its tree, and does not do.
        without = re.sub(r'"detail":\[{[^\]]*}\]', '"detail":[]', whole)
        assert all(json.loads(line).get("detail", []) == [] for line in without.splitlines())
        records.write_text(without)
        ordered = ("--holder", "doctor-1", "--ground", "request-1", "--archive", folder)
        lacking = erase(signed, *ordered, check=False)
        assert lacking.returncode == 1 and "lacks the detail" in lacking.stderr, lacking.stderr
        records.write_text(whole.replace("doctor-1", "doctor-2"))
        broken = erase(signed, *ordered, check=False)
        assert broken.returncode == 1 and "does not hold" in broken.stderr
        records.write_text(whole)
        assert details(signed)[1] == []
        # What came behind the archive is kept.
        assert signed.prescribe(documents.prescribing()).status_code == 200
        told = erase(signed, *ordered, check=False)
        assert "Erased" in told.stdout and "Kept 2: the archive does not have them" in told.stdout
        assert told.returncode == 1, "who named a holder takes all of it for erased"
        assert_holds(signed, folder)

    def test_another_logs_archive_does_not_do(self, signed, make_instance, tmp_path):
        other = make_instance(name="other", options=("--key-type", "p-256"))
        for name in ("origin",):
            signed_origin = signed.settings()[name]
            other.configure(lambda settings, name=name, value=signed_origin: settings.update({name: value}))
        shutil.copy(signed.home / "secrets" / "checkpoint.key", other.home / "secrets" / "checkpoint.key")
        other.start()
        other.stop()
        folder = archive(other, tmp_path / "others")
        refused = erase(signed, "--holder", "doctor-1", "--ground", "request-1", "--archive", folder, check=False)
        assert refused.returncode == 1 and "not of this log" in refused.stderr, refused.stderr
        assert details(signed)[1] == []

    def test_a_holders_details_are_gone_for_good_and_the_rest_stands(self, signed, tmp_path):
        saved = tmp_path / "saved.checkpoint"
        saved.write_text(shirushi("audit", "checkpoint", "--home", signed.home).stdout)
        token = signed.token("doctor-1")
        answer = signed.prescribe(documents.prescribing(), token=token).json()
        others = signed.prescribe(documents.prescribing(), holder="dentist-1").json()
        assert found_canary(signed)
        folder = archive(signed, tmp_path / "archive")
        before = listed(signed)
        said = erase(signed, "--holder", "doctor-1", "--ground", "request-1", "--archive", folder).stdout
        kept, gone = details(signed)
        told = [record for record in listed(signed) if record.get("note", "").startswith("details erased: ")]
        numbers = {
            number
            for record in told
            for part in record["note"].rpartition("records ")[2].split()
            for number in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)
        }
        assert set(gone) == numbers and f"Erased {len(gone)} details" in said
        notes = [record["note"] for record in told]
        assert all("ground request-1; archive of " in note and "doctor" not in note for note in notes)
        for record in before:
            closed = next((each for each in before if each["sequence"] == record.get("closes")), record)
            if closed.get("holder") == "doctor-1":
                assert record["sequence"] in gone, record
            if closed.get("holder") == "dentist-1":
                assert record["sequence"] in kept, record
        assert_holds(signed, folder)
        shirushi("audit", "verify", "--home", signed.home, "--since", saved)
        export = tmp_path / "after.jsonl"
        shirushi("audit", "export", "--home", signed.home, "--out", export)
        assert verify_audit.spawn("export", export, *keys(signed), "--previous", saved).code == 0
        # An archive made now says what is gone, and holds.
        assert_holds(signed, archive(signed, tmp_path / "later"))
        # Typed answers where the details were.
        place = f"/v1/signatures/{answer['signatureId']}"
        problem(signed.get(f"{place}/receipt", token), "not-found")
        problem(signed.get(place, token), "not-found")
        mine = f"/v1/signatures/{others['signatureId']}/receipt"
        assert signed.get(mine, signed.token("dentist-1")).status_code == 200
        intent = next(record["sequence"] for record in before if record.get("signature") == answer["signatureId"])
        proof = tmp_path / "proof.jsonl"
        proof.write_text(shirushi("audit", "prove", intent, "--home", signed.home).stdout)
        assert verify_audit.spawn("export", proof, *keys(signed)).code == 0
        disclosed = shirushi("audit", "disclose", intent, "--home", signed.home, check=False)
        assert disclosed.returncode == 1 and "was erased" in disclosed.stderr
        audited = shirushi("keys", "audit", "--home", signed.home, check=False)
        assert audited.returncode == 0 and "were not compared" in audited.stdout, audited.stdout
        # And the holder signs on.
        assert signed.prescribe(documents.prescribing()).status_code == 200
        # The search index follows within half a minute at most; it stops with its files in order.
        signed.stop()
        assert found_canary(signed) == []
        signed.start()
        assert_holds(signed)

    def test_the_files_forget_while_it_serves(self, signed):
        before = found_canary(signed)
        assert {"core.sqlite-wal"} & set(before) or "core.sqlite" in before
        said = erase(signed, "--holder", "doctor-1", "--ground", "request-1", "--without-archive").stdout
        assert "Backups made before" in said and "kept the database's journal" not in said
        assert [name for name in found_canary(signed) if name.startswith("core.")] == []

    def test_what_is_expired_is_counted_then_erased_by_class(self, fresh, tmp_path):
        years = {"operations": 0, "refusals": 0, "inspections": 10}
        fresh.configure(lambda settings: settings.update(audit={"retention": years}))
        fresh.start()
        assert fresh.prescribe(documents.prescribing()).status_code == 200
        assert fresh.prescribe(documents.prescribing(), holder="nurse-1").status_code == 403
        records = listed(fresh)
        due = [
            record
            for record in records
            if record["kind"] in ("start", "configuration", "refusal") or "card linked" in str(record)
        ]
        counted = erase(fresh, "--expired", "--dry-run").stdout
        assert f"Would erase {len(due)} details: 1 of refusals, {len(due) - 1} of operations" in counted, counted
        assert details(fresh)[1] == []
        said = erase(fresh, "--expired", "--archive", archive(fresh, tmp_path / "archive")).stdout
        assert f"Erased {len(due)} details" in said, said
        assert details(fresh)[1] == [record["sequence"] for record in due]
        assert "Erased 0 details" in erase(fresh, "--expired", "--without-archive").stdout
        assert_holds(fresh)
        # The same while nothing serves: the stop has come to it.
        fresh.stop()
        assert "Erased 1 details: 1 of operations" in erase(fresh, "--expired", "--without-archive").stdout
        assert_holds(fresh)
        early = next(record["sequence"] for record in records if record["kind"] == "intent")
        refused = erase(fresh, "--record", early, "--without-archive", check=False)
        assert refused.returncode == 1 and "needs a ground" in refused.stderr
        assert "2 of signatures" in erase(fresh, "--record", early, "--ground", "g-1", "--without-archive").stdout
        assert_holds(fresh)

    def test_the_configuration_is_read_strictly(self, fresh):
        for retention in ({"signatures": -1}, {"signatures": 101}, {"patients": 1}, {"signatures": "ten"}, []):
            fresh.configure(lambda settings, wrong=retention: settings.update(audit={"retention": wrong}))
            run = shirushi("serve", "--home", fresh.home, "--check", check=False)
            assert run.returncode != 0 and "audit" in run.stderr + run.stdout or "line" in run.stderr, run.stderr
        fresh.configure(lambda settings: settings.update(audit={"retention": {"signatures": 30}}))
        checked = shirushi("serve", "--home", fresh.home, "--check").stdout
        assert "signatures 30, registration 10" in checked

    def test_an_open_use_is_not_erased(self, make_instance):
        """Core is killed between intent and outcome, and nothing starts anew."""
        instance = make_instance(name="killed", options=("--key-type", "p-256"))
        instance.start(SHIRUSHI_FAILPOINT="core.after-intent")
        try:
            instance.prescribe(documents.prescribing(), timeout=10)
        except OSError:
            pass
        instance.kill()
        records = listed(instance)
        closed = {record.get("closes") for record in records}
        opened = [r["sequence"] for r in records if r["kind"] == "intent" and r["sequence"] not in closed]
        assert opened, "the failpoint left no open intent"
        told = erase(instance, "--record", opened[0], "--ground", "g-1", "--without-archive", check=False)
        assert "Erased 0 details" in told.stdout and "Kept 1: their uses are under way" in told.stdout
        assert told.returncode == 1
        assert details(instance)[1] == []

    def test_signatures_go_on_while_much_is_erased(self, fresh):
        fresh.start()
        for _ in range(30):
            assert fresh.prescribe(documents.prescribing()).status_code == 200
        running = subprocess.Popen(
            [contract.BINARY, "audit", "erase", "--home", fresh.home, "--holder", "doctor-1", "--ground", "g-1"]
            + ["--without-archive"],
            stdout=subprocess.PIPE,
            text=True,
        )
        while running.poll() is None:
            assert fresh.prescribe(documents.prescribing(), holder="dentist-1").status_code == 200
        assert running.returncode == 0 and "Erased" in running.stdout.read()
        assert len(details(fresh)[1]) >= 60
        assert_holds(fresh)


def test_the_restore_drill_holds(tmp_path):
    run = subprocess.run(
        [contract.ROOT / "scripts" / "drill-restore", tmp_path / "drill"],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "SHIRUSHI_BIN": str(contract.BINARY)},
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "The drill held" in run.stdout and run.stdout.count(" ms  ") >= 13
    assert "an older backup is found out by the checkpoint" in run.stdout
