"""Strangers who ask for signatures fill no log and no disk; `scripts/bench-strangers` asks for an hour."""

import re
import time

import documents
from flood import burst, strangers_tokens

COUNT = 2000


def weights(instance):
    """The bytes of every file of the data folder."""
    return {each.name: each.stat().st_size for each in (instance.home / "data").iterdir() if each.is_file()}


def counters(instance):
    text = instance.session().get(f"http://127.0.0.1:{instance.metrics_port}/metrics", timeout=10).text
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def refused_by_core(found):
    names = ("invalidToken", "expiredToken", "unknownHolder")
    return sum(found.get(f'shirushi_core_requests_total{{result="{name}"}}', 0) for name in names)


def settled(instance, is_so):
    """The counters once `is_so` of them; front asks core for them twice a second."""
    deadline = time.monotonic() + 30
    while not is_so(found := counters(instance)):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def test_a_burst_of_strangers_writes_no_record_and_no_byte_that_stays(fresh):
    """Thousands of tokens, all different, that core judges and refuses: counted by reason, and nothing else."""
    fresh.start()
    documents.document_of(fresh.prescribe(documents.prescribing()))
    settled(fresh, lambda found: found["shirushi_core_audit_index_behind"] == 0)
    tokens = strangers_tokens(fresh, -(-2 * COUNT // 7))
    # Every reason has its counter after the first.
    burst(fresh, tokens[:COUNT])
    before = settled(fresh, lambda found: refused_by_core(found) == COUNT)
    records, weight = len(fresh.records()), weights(fresh)
    statuses = burst(fresh, tokens[COUNT : 2 * COUNT])
    assert sum(statuses.values()) == COUNT and set(statuses) == {401, 403}, statuses
    after = settled(fresh, lambda found: refused_by_core(found) == 2 * COUNT)
    assert len(fresh.records()) == records
    grown = sum(weights(fresh).values()) - sum(weight.values())
    assert grown < 4096, f"the data folder has grown by {grown} bytes"
    counted = sum(value for name, value in after.items() if re.match("shirushi_refused_strangers_total", name))
    assert counted == 2 * COUNT
    assert set(after) == set(before), "a counter for each stranger"
    documents.document_of(fresh.prescribe(documents.prescribing()))
    assert fresh.stop() == 0 and fresh.audit_verifies()
