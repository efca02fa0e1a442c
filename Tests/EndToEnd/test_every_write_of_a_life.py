"""Each write of making an instance, of its starts and stops, of its marks and its keys' changes fails in every way.

Whatever happens, the next start or the next command finds a log that holds, and goes on without hands.
"""

import os
import shutil
import signal
from collections import Counter

import pytest

import audit
import contract
import disk
import long_log
from faulty import CHANCE, WORKERS, Subject, chosen, rehearsed, started, sweep
from instance import Instance, shirushi


def test_each_write_of_the_first_start(makers):
    sweep_starts(makers, lambda subject: None, 2)


def test_each_write_of_a_start_that_moves_the_head_on(makers):
    """A commit is on the disk and its head is not: the next start must move the head on to it."""

    def prepare(subject):
        subject.start().recovered()
        # Who would start core anew at once is held, and takes no part in answering.
        os.kill(subject.instance.process.pid, signal.SIGSTOP)
        subject.disk.arm(1, "kill-before", only="audit.head")
        asked = subject.burst(1)
        subject.instance.kill()
        subject.disk.disarm()
        assert asked[0].kind in ("core-unavailable", None)
        size, _ = audit.head(subject.instance.home)
        assert len(audit.rows(subject.instance.home)) > size

    sweep_starts(makers, prepare, 2)


def sweep_starts(makers, prepare, sample):
    """Every write of core's start on an instance in the state that `prepare` leaves it in."""

    def prepared(maker):
        def make():
            subject = maker()
            prepare(subject)
            subject.saved = subject.save("saved-" + subject.instance.home.name)
            return subject

        return make

    subject = prepared(makers[0])()
    subject.disk.arm(without="audit-index")
    subject.start()
    subject.disk.disarm()
    calls = subject.disk.calls()
    subject.instance.kill()
    return sweep(
        [prepared(maker) for maker in makers],
        chosen(calls, sample),
        lambda subject, at, fault: subject.fail_start(subject.saved, at, fault, without="audit-index"),
    )


def test_each_write_of_a_stop(makers):
    def fail(subject, at, fault):
        subject.keep_checkpoint()
        failed = None
        while failed is None:
            subject.disk.arm(at, fault, without="audit-index")
            subject.instance.stop()
            failed = subject.disk.failed()
            subject.disk.disarm()
            subject.start().recovered()
            # How many pages there are to move is not always the same.
            at -= 1
        subject.must_hold()
        return failed

    subject = started(makers[0])()
    subject.burst(3)
    subject.disk.arm(without="audit-index")
    assert subject.instance.stop() == 0
    subject.disk.disarm()
    calls = subject.disk.calls()
    assert {("pwrite64", "core.sqlite"), ("ftruncate", "core.sqlite-wal")} <= {each[1:3] for each in calls}
    sweep([started(maker) for maker in makers], chosen(calls, 2), fail)


MARK = 32_768


def at_rest_before_a_mark(subject, records):
    """An instance whose log has so many records less than a mark needs."""
    subject.start().recovered()
    assert subject.instance.stop() == 0
    long_log.lengthen(subject.instance.home, MARK - records)
    subject.saved = subject.save("saved-" + subject.instance.home.name)
    return subject


def sweep_mark_by_signing(makers):
    """Behind each 32,768 records; signing is what makes it."""

    def make(maker):
        # The start's two records come before, and an intent.
        return lambda: at_rest_before_a_mark(maker(), 4)

    def fail(subject, at, fault):
        subject.instance.kill()
        subject.restore(subject.saved)
        subject.start()
        failed = subject.fail(at, fault, after="audit.mark", without="audit-index")
        subject.instance.kill()
        subject.start().recovered()
        return failed

    subject = make(makers[0])()
    subject.start()
    calls = rehearsed(subject, after="audit.mark", without="audit-index")
    assert [each[1:3] for each in calls[:6]] == [
        ("create", "audit.mark.new"),
        ("write", "audit.mark.new"),
        ("fchmod", "audit.mark.new"),
        ("fsync", "audit.mark.new"),
        ("rename", "audit.mark"),
        ("fsync", "data"),
    ]
    assert subject.instance.stop() == 0
    assert contract.audit_mark(subject.instance.home).exists()
    sweep([make(maker) for maker in makers], chosen(calls[:6], 1), fail)


def sweep_start_with_a_mark(makers):
    def prepare(subject):
        at_rest_before_a_mark(subject, 1)
        subject.start().recovered()
        subject.instance.kill()
        assert contract.audit_mark(subject.instance.home).exists()

    sweep_starts(makers, prepare, 1)


def sweep_start_that_makes_a_mark(makers):
    sweep_starts(makers, lambda subject: at_rest_before_a_mark(subject, 0), 1)


def test_each_write_about_a_mark(makers):
    """A log that long is dear to examine: a sample is of one of the three ways to meet a mark."""
    sweeps = [sweep_mark_by_signing, sweep_start_with_a_mark, sweep_start_that_makes_a_mark]
    for each in contract.long([CHANCE.choice(sweeps)], sweeps):
        each(contract.long(makers[:1], makers))


@pytest.mark.parametrize("act", ["add", "retire"])
def test_each_write_of_a_change_of_the_checkpoint_key(makers, act):
    def prepare(maker):
        def make():
            subject = started(maker)()
            if act == "retire":
                shirushi("audit", "keys", "add", "--home", subject.instance.home)
                subject.recovered()
            assert subject.instance.stop() == 0
            subject.saved = subject.save("saved-" + subject.instance.home.name)
            return subject

        return make

    def keys(subject):
        return shirushi("audit", "keys", "--home", subject.instance.home).stdout.split()

    def change(subject):
        words = ["retire", keys(subject)[0].split("+")[1]] if act == "retire" else ["add"]
        return shirushi("audit", "keys", *words, "--home", subject.instance.home, check=False).returncode == 0

    def fail(subject, at, fault):
        subject.instance.kill()
        subject.restore(subject.saved)
        subject.start()
        before, done = keys(subject), []

        def once():
            if not done:
                done.append(change(subject))
            return []

        failed = subject.fail(at, fault, once, without="audit-index")
        # A start settles what the fault left undone; where core went on, that start is still to come.
        assert subject.instance.stop() == 0
        subject.start().recovered()
        subject.must_hold()
        must_be_told(subject, before, done[0])
        return failed

    def must_be_told(subject, before, is_done):
        """The keys that sign are those of which the log says so."""
        notes = [each.fields.get("note", "") for each in audit.entries(subject.instance.home)]

        def told(words):
            return {note.split(": ")[1] for note in notes if note.startswith(f"checkpoint key {words}: ")}

        expected = ({*before[:1]} | told("added")) - told("retired")
        now = keys(subject)
        assert set(now) == expected, f"the file has {now}, and the log {expected}"
        assert not is_done or (act == "add") == (len(now) == 2)

    subject = prepare(makers[0])()
    subject.start()
    subject.disk.arm(without="audit-index")
    assert change(subject)
    subject.disk.disarm()
    calls = subject.disk.calls()
    assert ("rename", "checkpoint.key") in {each[1:3] for each in calls}
    subject.instance.kill()
    sweep([prepare(maker) for maker in makers], chosen(calls, 1), fail)


def test_each_write_of_making_an_instance(tmp_path, library, shim):
    """What `init` leaves behind is an instance that serves, or does not count as one and is said to be none."""
    count = iter(range(10**6))

    def init(at, fault):
        place = tmp_path / f"init-{next(count)}"
        place.mkdir()
        home = place / "home"
        failing = disk.Disk(library, place / "disk", [home])
        failing.arm(at, fault)
        made = shirushi("init", "--home", home, "--development", check=False, environment=failing.environment)
        failing.disarm()
        return home, made, failing

    home, made, failing = init(0, None)
    assert made.returncode == 0
    calls = failing.calls()
    print(f"init makes {len(calls)} calls")

    def run(_, at, fault):
        home, made, failing = init(at, fault)
        failed = failing.failed()
        assert failed, "the call did not come"
        if not contract.configuration(home).exists():
            assert made.returncode != 0
            again = shirushi("init", "--home", home, "--development", check=False)
            assert again.returncode == 0 or "holds no instance" in again.stderr, again.stderr
            # What is no instance cannot be served; one that was made just now would be served until somebody ends it.
            assert again.returncode == 0 or shirushi("serve", "--home", home, check=False).returncode != 0
        if contract.configuration(home).exists():
            instance = Instance(home, shim=shim)
            subject = Subject(instance, library)
            try:
                subject.start().recovered()
                subject.must_hold()
            finally:
                instance.kill()
        shutil.rmtree(home.parent)
        return failed

    class Nobody:
        def __init__(self):
            self.instance, self.disk, self.told, self.home = self, self, Counter(), tmp_path

        def kill(self):
            pass

        failed = disarm = kill

    sweep([Nobody] * WORKERS, chosen(calls, 2, 200), run)
