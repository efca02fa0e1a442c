"""Each single write of the append path fails in every way a disk knows, and the process dies at each.

Whatever happens: a signature that a client holds has its records, no key was used without a durable intent, the log
holds and begins with every checkpoint kept before, and signing comes back without hands.
"""

import os
import re
import subprocess
import threading
import time

import requests

import contract
import disk
import documents
from disk import applies
from faulty import CHANCE, FAULTS, chosen, rehearsed, started, sweep


def test_each_write_of_signing(makers):
    """Intents, outcomes, commits, their checkpoints and the head, with three requests under way."""
    subject = started(makers[0])()
    alone = rehearsed(subject, lambda: subject.burst(1), without="audit-index")
    assert {(each.call, each.name) for each in alone} == {
        ("pwrite64", "core.sqlite-wal"),
        ("fdatasync", "core.sqlite-wal"),
        ("pwrite64", "audit.head"),
        ("fdatasync", "audit.head"),
    }
    calls = rehearsed(subject, without="audit-index")
    assert len(calls) > len(alone) > 20
    subject.instance.kill()
    # Some are few among so many, and which call is the nth depends on how requests meet: those are named besides.
    kinds = sorted({(each.call, each.name) for each in alone})
    named = [(1, fault, *kind) for kind in kinds for fault in FAULTS if applies(fault, kind[0])]
    trials = [*((*each, "", "") for each in chosen(calls, 6)), *contract.long([CHANCE.choice(named)], named)]
    met = sweep(
        [started(maker) for maker in makers],
        trials,
        lambda subject, at, fault, call, name: subject.fail(at, fault, call=call, only=name, without="audit-index"),
    )
    if os.environ.get("SHIRUSHI_LONG"):
        for call, name in kinds:
            assert all(met[fault, call, name] for fault in FAULTS if applies(fault, call)), (call, name)


def with_refusals(subject):
    """Three signatures under way, and many refusals, each of which is a commit of its own."""
    session, nurse = subject.instance.session(), subject.instance.token("nurse-1")

    def refuse():
        for _ in range(60):
            try:
                answer = subject.instance.prescribe(documents.prescribing(), token=nurse, session=session, timeout=20)
            except requests.RequestException:
                return
            assert answer.status_code in (403, 503), answer.text
            if answer.status_code == 503:
                return

    thread = threading.Thread(target=refuse)
    thread.start()
    asked = subject.burst(3)
    thread.join()
    session.close()
    return asked


def test_each_write_that_moves_the_database_s_log_into_its_file(makers):
    """Every 256th commit does, and the commit after it begins the log anew."""
    subject = started(makers[0])()
    where = {"after": "core.sqlite", "without": "audit-index"}
    subject.disk.arm(**where)
    # A reader that looks just then keeps the log from being begun anew until the next time.
    begun = None
    while begun is None:
        with_refusals(subject)
        calls = subject.disk.calls()
        begun = next((each.number for each in calls if each[1:4] == ("pwrite64", "core.sqlite-wal", 0)), None)
    subject.disk.disarm()
    subject.instance.kill()
    assert ("fdatasync", "core.sqlite") in {each[1:3] for each in calls[:begun]}
    calls = [each for each in calls if each.name == "core.sqlite"] + calls[begun - 1 : begun + 9]
    sweep(
        [started(maker) for maker in makers],
        chosen(calls, 2, 200),
        lambda subject, at, fault: subject.fail(at, fault, lambda: with_refusals(subject), **where),
    )


def index_behind(instance):
    text = requests.get(f"http://127.0.0.1:{instance.metrics_port}/metrics", timeout=10).text
    return int(re.search(r"^shirushi_core_audit_index_behind (\d+)", text, re.M)[1])


def await_index(subject):
    """Until everything is in the index, which then has a file."""
    deadline = time.monotonic() + 30
    while index_behind(subject.instance) > 0 or not (subject.instance.home / "data" / "audit-index.sqlite").exists():
        assert time.monotonic() < deadline, "the index does not come back"
        time.sleep(0.2)


def fail_index(subject, at, fault, lasting=False):
    """The index follows from the log: what becomes of it stops no signature, and core goes on."""
    core = subject.instance.pid("core")
    where = {"only": "audit-index", "lasting": lasting}
    deaths = disk.FAULTS[fault][0] in range(disk.FAULTS["kill-before"][0], disk.FAULTS["power"][0] + 1)
    asked = []

    def act():
        asked.extend(subject.burst(3))
        time.sleep(0.6)  # it looks for new records twice a second
        return asked[-3:]

    failed = subject.fail(at, fault, act, **where)
    if not deaths:
        assert all(each.is_signed for each in asked), [each.kind for each in asked]
        assert subject.instance.pid("core") == core, "core ended for its index"
    await_index(subject)
    return failed


def test_each_write_of_the_index_which_never_stops_signing(makers):
    def indexed(maker):
        def make():
            subject = started(maker)()
            await_index(subject)
            return subject

        return make

    subject = indexed(makers[0])()
    calls = rehearsed(subject, lambda: [subject.burst(3), time.sleep(1.2)][0], only="audit-index")
    subject.instance.kill()
    assert {each.call for each in calls} >= {"pwrite64", "fdatasync"}
    # From a call on for good: what is told besides is that the index is behind.
    trials = [(1, "eio", True), (1, "full", True), *((*each, False) for each in chosen(calls, 2))]
    sweep([indexed(maker) for maker in makers], trials, fail_index)


def test_a_full_disk_until_there_is_room_again(makers):
    """No mount is needed: every write is told that the disk is full, from some call on and as long as that lasts."""
    subject = started(makers[0])()
    for at in (1, 18, 40):
        subject.keep_checkpoint()
        subject.disk.arm(at, "full", lasting=True)
        asked = [each for _ in range(4) for each in subject.burst(3)]
        assert sum(not each.is_signed for each in asked) >= 6, [each.kind for each in asked]
        # Front asks core twice a second.
        deadline = time.monotonic() + 3
        while subject.instance.get("/health/ready", session=subject.instance.session()).status_code != 503:
            assert time.monotonic() < deadline, "still ready without an audit"
            time.sleep(0.1)
        assert subject.instance.get("/health/live", session=subject.instance.session()).status_code == 200
        subject.disk.disarm()
        subject.recovered(asked)
        subject.must_hold()


def test_the_disk_sees_every_call_that_the_kernel_sees(makers, root):
    """What these tests count is what strace counts: no write of core's passes by the library."""
    subject = started(makers[0])()
    await_index(subject)
    names = "pwrite64,pwritev,pwritev2,write,writev,fdatasync,fsync,sync_file_range,ftruncate,fallocate"
    names += ",rename,renameat,renameat2,unlink,unlinkat,link,linkat,fchmod"
    trace = subject.kept.with_suffix(".strace")
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-y", "-ttt", "-o", trace, "-e", f"trace={names}"]
        + ["-p", str(subject.instance.pid("core"))],
        stderr=subprocess.PIPE,
    )
    time.sleep(1)
    assert tracer.poll() is None, tracer.stderr.read()
    begun = time.time()
    subject.disk.arm()
    asked = subject.burst(3)
    await_index(subject)
    time.sleep(1)
    count = subject.disk.count
    tracer.kill()
    tracer.wait()
    assert all(each.is_signed for each in asked)
    data = f"{subject.instance.home}/data/"
    lines = (line for line in trace.read_text().splitlines() if data in line and "resumed>" not in line)
    # A line is: process, time, call. What the index was still at when strace came is not counted by the library.
    seen = [line for line in lines if float(line.split()[1]) >= begun]
    assert len(seen) == count > 60, f"{len(seen)} calls by strace, {count} by the library"
