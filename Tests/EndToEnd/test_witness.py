"""Witnesses of other people cosign the log, and tell when the whole instance was rolled back or forked."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
import requests

import contract
import documents
import verify_audit
from instance import free_ports, shirushi


class Witness:
    """A witness of its own, in a process of its own."""

    def __init__(self, folder, name):
        self.folder = folder
        self.key = shirushi("witness", "init", "--folder", folder, "--name", name).stdout.strip()
        self.port = free_ports(1)[0]
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def trust(self, instance):
        keys = shirushi("audit", "keys", "--home", instance.home).stdout.split()
        shirushi("witness", "trust", *keys, "--folder", self.folder)

    def start(self):
        self.process = subprocess.Popen(
            [contract.BINARY, "witness", "serve", "--folder", self.folder, "--port", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait(lambda: self.checkpoint("nobody").status_code == 404, "the witness does not serve")
        return self

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(20) == 0
            self.process = None

    def checkpoint(self, origin):
        name = hashlib.sha256(origin.encode()).hexdigest()
        return requests.get(f"{self.url}/log/{name}/checkpoint", timeout=5)

    def size(self, origin):
        answer = self.checkpoint(origin)
        return int(answer.text.split("\n")[1]) if answer.status_code == 200 else 0


def wait(condition, words, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except requests.RequestException:
            pass
        time.sleep(0.1)
    raise AssertionError(words)


@pytest.fixture
def make_witness(tmp_path):
    made = []

    def make(name):
        made.append(Witness(tmp_path / name, f"{name}.example/1"))
        return made[-1]

    yield make
    for witness in made:
        if witness.process is not None:
            witness.process.kill()
            witness.process.wait()


def watched_by(instance, *witnesses):
    def change(settings):
        settings["witnesses"] = {
            "every": "1s",
            "allowPrivateAddresses": True,
            "servers": [{"url": witness.url, "key": witness.key} for witness in witnesses],
        }

    instance.configure(change)


def origin(instance):
    return instance.settings()["origin"]


def log_size(instance):
    return int(shirushi("audit", "checkpoint", "--home", instance.home).stdout.split("\n")[1])


def await_cosigned(instance, witness):
    """Until the witness has seen what the log has now."""
    size = log_size(instance)
    wait(lambda: witness.size(origin(instance)) >= size, "the witness was not asked")


def metrics(instance):
    return instance.session().get(f"http://127.0.0.1:{instance.metrics_port}/metrics", timeout=5).text


def prescribe(instance):
    answer = instance.prescribe(documents.prescribing(), session=instance.session())
    assert answer.status_code == 200, answer.text
    return answer.json()


def options(instance, *witnesses):
    keys = shirushi("audit", "keys", "--home", instance.home).stdout.split()
    return [
        *(part for key in keys for part in ("--key", key)),
        *(part for witness in witnesses for part in ("--witness", witness.key)),
        *("--quorum", str(len(witnesses))),
    ]


def test_receipts_come_to_bear_the_signatures_of_two_witnesses(fresh, make_witness, tmp_path):
    fresh.start()
    fresh.stop()
    witnesses = [make_witness("north").start(), make_witness("south").start()]
    for witness in witnesses:
        witness.trust(fresh)
    watched_by(fresh, *witnesses)
    fresh.start()
    signature = prescribe(fresh)["signatureId"]
    for witness in witnesses:
        await_cosigned(fresh, witness)
    path = tmp_path / "receipt.json"

    def holds():
        path.write_text(fresh.get(f"/v1/signatures/{signature}/receipt", fresh.token("doctor-1")).text)
        return verify_audit.spawn("receipt", path, *options(fresh, *witnesses)).code == 0

    wait(holds, "the receipt has not both cosignatures")
    export = tmp_path / "cosigned.jsonl"
    shirushi("audit", "export", "--cosigned", "--home", fresh.home, "--out", export)
    found = verify_audit.spawn("export", export, *options(fresh, *witnesses))
    assert found.code == 0, found.out + found.err
    archive = tmp_path / "archive"
    shirushi("audit", "archive", "--cosigned", "--home", fresh.home, "--to", archive)
    assert verify_audit.spawn("archive", archive, *options(fresh, *witnesses)).code == 0
    kept = tmp_path / "kept"
    kept.write_text(shirushi("audit", "checkpoint", "--cosigned", "--home", fresh.home).stdout)
    shirushi("audit", "verify", "--home", fresh.home, "--since", kept)
    # What the witness gives out is as good a checkpoint kept elsewhere.
    kept.write_text(witnesses[0].checkpoint(origin(fresh)).text)
    shirushi("audit", "verify", "--home", fresh.home, "--since", kept)
    wait(lambda: 'shirushi_witness_failing{witness="south.example/1"} 0' in metrics(fresh), "it counts as failing")
    for name in ("cosigned_records", "cosignature_age_seconds"):
        assert re.search(rf'^shirushi_witness_{name}{{witness="north.example/1"}} \d+$', metrics(fresh), re.M)
    fresh.stop()


def test_a_witness_that_is_away_or_knows_nothing_is_told_and_stops_nobody(fresh, make_witness):
    witness = make_witness("west")
    watched_by(fresh, witness)
    fresh.start()
    failing = 'shirushi_witness_failing{witness="west.example/1"} '
    wait(lambda: failing + "1" in metrics(fresh), "nobody tells that it is away")
    prescribe(fresh)
    witness.start()
    time.sleep(2)
    assert failing + "1" in metrics(fresh)
    witness.trust(fresh)
    wait(lambda: failing + "0" in metrics(fresh), "it does not come back")
    # A key that the log added is not known yet; it is told of it and goes on, with the old one retired too.
    old = shirushi("audit", "keys", "--home", fresh.home).stdout.split()[0]
    shirushi("audit", "keys", "add", "--home", fresh.home)
    witness.trust(fresh)
    shirushi("audit", "keys", "retire", old.split("+")[1], "--home", fresh.home)
    shirushi("witness", "distrust", old, "--folder", witness.folder)
    await_cosigned(fresh, witness)
    witness.stop()
    prescribe(fresh)
    wait(lambda: failing + "1" in metrics(fresh), "nobody tells that it is gone")
    witness.start()
    wait(lambda: failing + "0" in metrics(fresh), "it does not come back")


def await_refusal(instance, words):
    wait(lambda: words in instance.log.read_text(), f"nobody says that it was {words}")
    wait(
        lambda: instance.get("/health/ready", session=instance.session()).status_code == 503,
        "still ready",
    )
    answer = instance.prescribe(documents.prescribing(), token=instance.token("doctor-1"), session=instance.session())
    assert answer.status_code == 503, answer.text


def test_a_rollback_of_the_whole_instance_stops_it_at_once_and_at_every_start(fresh, make_witness, tmp_path):
    witness = make_witness("east").start()
    fresh.start()
    fresh.stop()
    witness.trust(fresh)
    watched_by(fresh, witness)
    yesterday, today = tmp_path / "yesterday", tmp_path / "today"
    fresh.start()
    prescribe(fresh)
    await_cosigned(fresh, witness)
    fresh.stop()
    shutil.copytree(fresh.home, yesterday, symlinks=True)
    fresh.start()
    prescribe(fresh)
    prescribe(fresh)
    await_cosigned(fresh, witness)
    fresh.stop()
    fresh.home.rename(today)
    yesterday.rename(fresh.home)
    assert fresh.audit_verifies(), "by itself the older copy holds, or this test tests nothing"
    fresh.log.write_text("")
    fresh.start(ready=False)
    await_refusal(fresh, "rolled back")
    proof = fresh.home / "data/audit.contradiction"
    assert proof.exists()
    fresh.stop()
    # No command says that all is well, and none adds to a log that is not the whole one.
    assert not fresh.audit_verifies()
    erasing = ("--record", 2, "--ground", "g-1", "--without-archive")
    refused = shirushi("audit", "erase", "--home", fresh.home, *erasing, check=False)
    assert refused.returncode != 0 and "rolled back" in refused.stdout + refused.stderr
    # Without the witness too, as long as the proof is there and the log has not what it says.
    witness.stop()
    fresh.log.write_text("")
    fresh.start(ready=False)
    await_refusal(fresh, "rolled back")
    fresh.stop()
    # The newer copy is laid back: the proof is part of it, and everything goes on.
    shutil.copy(proof, today / "data/audit.contradiction")
    shutil.rmtree(fresh.home)
    today.rename(fresh.home)
    witness.start()
    fresh.start()
    prescribe(fresh)
    await_cosigned(fresh, witness)
    assert not proof.exists()


def test_a_stranger_who_replays_what_was_cosigned_changes_nothing(fresh, make_witness):
    witness = make_witness("public").start()
    fresh.start()
    fresh.stop()
    witness.trust(fresh)
    watched_by(fresh, witness)
    fresh.start()
    await_cosigned(fresh, witness)
    fresh.stop()
    note = witness.checkpoint(origin(fresh)).text
    text, lines = note.split("\n\n")
    line = next(line for line in lines.splitlines() if origin(fresh) in line)
    body = f"old {text.splitlines()[1]}\n\n{text}\n\n" + (line + "\n") * 64
    answer = requests.post(f"{witness.url}/add-checkpoint", data=body.encode(), timeout=10)
    assert answer.status_code == 200, answer.text
    assert witness.checkpoint(origin(fresh)).text == note


def test_a_copy_from_before_a_rotation_raises_an_alarm_at_once(fresh, make_witness, tmp_path):
    """It does not know the keys that prove it wrong, so that it cannot tell a proof from a claim."""
    witness = make_witness("old").start()
    fresh.start()
    fresh.stop()
    witness.trust(fresh)
    watched_by(fresh, witness)
    fresh.start()
    await_cosigned(fresh, witness)
    fresh.stop()
    before = tmp_path / "before"
    shutil.copytree(fresh.home, before, symlinks=True)
    fresh.start()
    old = shirushi("audit", "keys", "--home", fresh.home).stdout.split()[0]
    shirushi("audit", "keys", "add", "--home", fresh.home)
    witness.trust(fresh)
    shirushi("audit", "keys", "retire", old.split("+")[1], "--home", fresh.home)
    shirushi("witness", "distrust", old, "--folder", witness.folder)
    prescribe(fresh)
    await_cosigned(fresh, witness)
    fresh.stop()
    shutil.rmtree(fresh.home)
    before.rename(fresh.home)
    fresh.log.write_text("")
    fresh.start()
    wait(lambda: "it was rolled back" in fresh.log.read_text(), "no alarm tells of the rollback")
    wait(lambda: "shirushi_alarms 0" not in metrics(fresh), "no alarm is counted")


def test_two_that_go_on_from_one_log_cannot_both_be_cosigned(make_instance, make_witness, tmp_path):
    first = make_instance()
    witness = make_witness("middle").start()
    first.start()
    first.stop()
    witness.trust(first)
    watched_by(first, witness)
    copy = tmp_path / "copy"
    shutil.copytree(first.home, copy, symlinks=True)
    first.start()
    prescribe(first)
    prescribe(first)
    await_cosigned(first, witness)
    first.stop()
    kept = tmp_path / "kept"
    kept.write_text(witness.checkpoint(origin(first)).text)
    shutil.rmtree(first.home)
    copy.rename(first.home)
    # The copy takes records of its own before it meets the witness: of as many leaves, and other ones.
    watched_by(first)
    first.start()
    prescribe(first)
    prescribe(first)
    prescribe(first)
    first.stop()
    run = shirushi("audit", "verify", "--home", first.home, "--since", kept, check=False)
    assert run.returncode == 1 and "FAULT" in run.stdout
    watched_by(first, witness)
    first.log.write_text("")
    first.start(ready=False)
    await_refusal(first, "forked")
    # An inquiry later its operator lets the log begin anew; the proof goes with the incident's files.
    first.stop()
    note = shirushi("witness", "forget", origin(first), "--folder", witness.folder).stdout
    assert note == kept.read_text()
    (first.home / "data/audit.contradiction").unlink()
    first.start()
    prescribe(first)
    await_cosigned(first, witness)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 0\n\n", 400),
        (b"old 0\n\nnobody.example\n1\nnonsense\n\n", 400),
        (b"old 1\n" + b"A" * 43 + b"=\n" * 70, 400),
        (b"\xff" * 1000, 400),
        (b"\n" * 65_000, 400),
        (b"a" * 66_000, 413),
    ],
    ids=["nothing", "no checkpoint", "nonsense", "a long proof", "no text", "empty lines", "too long"],
)
def test_strangers_get_a_status_and_nothing_else(make_witness, body, status):
    witness = make_witness("open").start()
    assert requests.post(f"{witness.url}/add-checkpoint", data=body, timeout=10).status_code == status
    for path in ("/", "/add-checkpoint", "/log/x/checkpoint", "/log/../checkpoint", "/log/" + "a" * 5000):
        assert requests.get(witness.url + path, timeout=10).status_code in (400, 404, 405), path
    witness.stop()


def test_a_stranger_s_log_is_unknown(make_witness):
    witness = make_witness("alone").start()
    note = "stranger.example\n1\n" + "A" * 43 + "=\n\n— stranger.example " + "A" * 96 + "\n"
    answer = requests.post(f"{witness.url}/add-checkpoint", data=f"old 0\n\n{note}".encode(), timeout=10)
    assert answer.status_code == 404, answer.text
    assert oct(os.stat(witness.folder / "witness.key").st_mode & 0o777) == "0o600"
