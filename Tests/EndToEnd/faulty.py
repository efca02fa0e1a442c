"""A serving instance on a disk that fails when told, what its clients were told, and what must hold afterwards."""

import os
import random
import shutil
import subprocess
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

import audit
import contract
import disk
import documents
import verify_audit
from instance import shirushi

SEED = int(os.environ.get("SHIRUSHI_SEED", time.time_ns() % 2**32))
CHANCE = random.Random(SEED)
WORKERS = int(os.environ.get("SHIRUSHI_WORKERS", contract.long(2, 4)))
FAULTS = sorted(disk.FAULTS)
# At most so many faults in a test in full, where that is set.
MOST = int(os.environ.get("SHIRUSHI_FAULTS", 10**6))
# What a client may be told while the disk fails under core: the answer's kind, or None for a lost connection.
TOLD = {"audit-unavailable", "core-unavailable", None}


@dataclass
class Asked:
    """A request, and its first answer; None where there was none."""

    body: dict
    key: str
    answer: requests.Response | None = None

    @property
    def is_signed(self):
        return self.answer is not None and self.answer.status_code == 200

    @property
    def kind(self):
        if self.answer is None:
            return None
        return "signed" if self.is_signed else contract.kind_of(self.answer.json())


class Subject:
    """An instance of its own with its disk; keeps what clients hold, and checkpoints as a reviewer would."""

    def __init__(self, instance, library, watched=("data", "secrets")):
        self.instance = instance
        place = instance.home.parent
        self.disk = disk.Disk(
            library, place / f"{instance.home.name}-disk", [instance.home / folder for folder in watched]
        )
        self.kept = place / f"{instance.home.name}-kept"
        self.kept.mkdir()
        self.signed, self.told = {}, Counter()

    def start(self, ready=True):
        self.instance.start(ready=ready, **self.disk.environment)
        return self

    def is_ready(self):
        try:
            return self.instance.get("/health/ready", session=self.instance.session(), timeout=2).status_code == 200
        except requests.RequestException:
            return False

    # --- Requests

    def ask(self, asked):
        session = self.instance.session()
        try:
            return self.instance.prescribe(asked.body, token=self.doctor, key=asked.key, session=session, timeout=25)
        except requests.RequestException:
            return None
        finally:
            session.close()

    def burst(self, count=3):
        """So many requests at once; each comes back with its answer."""
        self.doctor = self.instance.token("doctor-1")
        all_asked = [Asked(documents.prescribing(), str(uuid.uuid4())) for _ in range(count)]

        def run(asked):
            asked.answer = self.ask(asked)

        threads = [threading.Thread(target=run, args=(asked,)) for asked in all_asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for asked in all_asked:
            self.hold(asked.answer)
            self.told[asked.kind] += 1
        return all_asked

    def hold(self, answer):
        if answer is not None and answer.status_code == 200:
            document = documents.document_of(answer)
            identifier = answer.json()["signatureId"]
            self.signed[identifier] = contract.digest_to_sign(document, "PrescriptionSign")

    # --- What must hold

    def recovered(self, all_asked=(), seconds=30):
        """Signing is back without hands, and each request asked again has one signature, or is in doubt."""
        deadline = time.monotonic() + seconds
        while True:
            probe = self.burst(1)[0]
            if probe.is_signed:
                break
            assert probe.kind in TOLD, probe.answer.text
            assert time.monotonic() < deadline, f"signing did not come back:\n{self.instance.log_end()}"
            time.sleep(0.2)
        for asked in all_asked:
            assert asked.kind in TOLD | {"signed"}, asked.answer.text
            again = self.ask(asked)
            self.hold(again)
            assert again is not None, "asked again, there was no answer"
            if asked.is_signed:
                assert again.status_code == 200 and again.content == asked.answer.content, (
                    f"an answer that was given is lost: {again.text}"
                )
            elif again.status_code != 200:
                assert contract.kind_of(again.json()) == "idempotency-in-doubt", again.text

    def keep_checkpoint(self):
        """What a reviewer keeps elsewhere, to hold the log against it later; an empty log gives none."""
        if not audit.rows(self.instance.home):
            return
        text = shirushi("audit", "checkpoint", "--home", self.instance.home).stdout
        (self.kept / f"{len(list(self.kept.iterdir())):04}").write_text(text)

    def must_hold(self):
        """Every promise about the log: by our own reader, by the command, and by the other program on an export."""
        home = self.instance.home
        log = audit.examine(home, set(self.signed.items()), self.instance.signs())
        kept = sorted(self.kept.iterdir())
        kept = kept[:3] + kept[3:][-5:]
        since = [part for path in kept for part in ("--since", path)]
        verified = shirushi("audit", "verify", "--home", home, *since, check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert verified.stdout.count("It begins with") == len(kept)
        export = self.kept.with_suffix(".jsonl")
        shirushi("audit", "export", "--home", home, "--out", export)
        keys = shirushi("audit", "keys", "--home", home).stdout.split()
        options = [part for key in keys for part in ("--key", key)]
        options += [part for path in kept[-1:] for part in ("--previous", path)]
        other = verify_audit.spawn("export", export, *options)
        export.unlink()
        assert other.code == 0, other.out[-2000:] + other.err[-500:]
        return log

    # --- One fault

    def fail(self, at, fault, act=None, **where):
        """Lets one call fail while requests are under way; gives it, once all promises were found kept."""
        self.keep_checkpoint()
        self.disk.arm(at, fault, **where)
        act = act or (lambda: self.burst(3))
        all_asked = list(act())
        for _ in range(400):
            if self.disk.fired:
                break
            # How many calls there are depends on how requests meet in a commit, so there may have been too few.
            all_asked += act()
        failed = self.disk.failed()
        self.disk.disarm()
        assert failed, "the call did not come"
        self.recovered(all_asked[-12:])
        self.must_hold()
        return failed

    def fail_start(self, saved, at, fault, **where):
        """Lets one call fail while an instance in that state starts."""
        self.instance.kill()
        self.restore(saved)
        self.keep_checkpoint()
        self.disk.arm(at, fault, **where)
        self.start(ready=False)
        deadline = time.monotonic() + 60
        while not self.disk.fired:
            assert time.monotonic() < deadline, f"the call did not come:\n{self.instance.log_end()}"
            time.sleep(0.02)
            # The last calls of a start are those of what comes due behind it, or of the first signature.
            if self.is_ready():
                self.burst(1)
        failed = self.disk.failed()
        self.disk.disarm()
        self.instance.await_ready(30)
        self.recovered()
        self.must_hold()
        return failed

    # --- The same state again

    def save(self, name):
        """Keeps the instance as it is at rest."""
        place = self.instance.home.parent / name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.instance.home, place / "home", symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
        shutil.copytree(self.instance.shim, place / "shim")
        return place, dict(self.signed)

    def restore(self, saved):
        place, self.signed = saved[0], dict(saved[1])
        for kept, own in ((place / "home", self.instance.home), (place / "shim", self.instance.shim)):
            shutil.rmtree(own)
            shutil.copytree(kept, own, symlinks=True)
        # What was kept of another course of events is of no log that is.
        for path in self.kept.iterdir():
            path.unlink()


def sweep(subjects, trials, run):
    """Runs `run(subject, *trial)` for each trial, a thread for every subject; `run` gives the call that failed.

    All trials are run, whatever becomes of some; then any that did not keep the promises fails the test.
    """
    trials, met, broken = list(reversed(trials)), Counter(), []

    def work(make):
        subject = make()
        while trials:
            trial = trials.pop()
            try:
                failed = run(subject, *trial)
                met[trial[1], failed.call, failed.name] += 1
            except (AssertionError, requests.RequestException, OSError, subprocess.SubprocessError) as error:
                failed = subject.disk.failed()
                subject.disk.disarm()
                broken.append(f"{trial} ({failed}) in {subject.instance.home}: {type(error).__name__} {error}"[:3000])
                print("BROKEN", broken[-1], flush=True)
                subject.instance.kill()
                subject = make()
        subject.instance.kill()
        return subject.told

    with ThreadPoolExecutor(len(subjects)) as pool:
        told = sum(pool.map(work, subjects), Counter())
    print(f"\n{sum(met.values())} faults held, {len(broken)} not; answers: {dict(told)}")
    for (fault, call, name), number in sorted(met.items()):
        print(f"  {fault:12} {call:10} {name:28} {number}")
    assert not broken, "\n\n".join(broken)
    return met


def chosen(calls, sample, full=None):
    """Every fault at every call that it is possible for; or so many of them, in which each fault comes in turn.

    In full each kind of call on each file meets every fault that it is possible for, however many are left out.
    """
    print(f"seed {SEED}, {len(calls)} calls")
    every = [(each, fault) for fault in FAULTS for each in calls if disk.applies(fault, each.call)]
    CHANCE.shuffle(every)
    if os.environ.get("SHIRUSHI_LONG"):
        kinds = {(fault, each.call, each.name): (each, fault) for each, fault in every}
        rest = [trial for trial in every if trial not in kinds.values()]
        every = [*kinds.values(), *rest][: max(min(MOST, full or len(every)), len(kinds))]
    else:
        turns = CHANCE.sample(FAULTS, len(FAULTS))
        found = ([trial for trial in every if trial[1] == turns[number % len(turns)]] for number in range(sample))
        every = [trials[number % len(trials)] for number, trials in enumerate(found) if trials]
    return [(each.number, fault) for each, fault in every]


def rehearsed(subject, act=None, **where):
    """The calls that nothing fails."""
    subject.disk.arm(**where)
    asked = (act or (lambda: subject.burst(3)))()
    assert all(each.is_signed for each in asked)
    subject.disk.disarm()
    return subject.disk.calls()


def started(maker):
    """An instance that serves, and has signed."""

    def make():
        subject = maker().start()
        subject.recovered()
        return subject

    return make
