"""What thousands of refused strangers a second do to the log, to the data folder and to a doctor's signatures.

`strangers.py [SECONDS] [RATE]`: a doctor signs once a second for a minute, then for so many seconds (3600) beside so
many strangers a second (5000), then for a minute again. Then the same number of signatures is made without strangers,
so that what these let grow is the difference. The rate that is told is that of the answers which came. Client and
server share the machine. Writes var/bench/strangers.json.
"""

import json
import multiprocessing
import os
import queue
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

import documents  # noqa: E402
import requests  # noqa: E402
from flood import flood, strangers_tokens  # noqa: E402
from instance import Instance  # noqa: E402

from bench import processor, processor_seconds  # noqa: E402

QUIET = int(os.environ.get("SHIRUSHI_BENCH_QUIET", "60"))
SAMPLE = 10


def folder_bytes(folder):
    """The bytes of every file, by name."""
    return {each.name: each.stat().st_size for each in Path(folder).iterdir() if each.is_file()}


def resident(pid):
    """Resident memory in MB."""
    return int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def metrics(instance):
    text = requests.get(f"http://127.0.0.1:{instance.metrics_port}/metrics", timeout=30).text
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def spread(times):
    """Median, 95th and 99th percentile and the longest, in ms."""
    times = sorted(times)
    at = {name: times[min(len(times) - 1, int(len(times) * part))] for name, part in
          (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1))}  # fmt: skip
    return {"signatures": len(times), **{name: round(value * 1000, 1) for name, value in at.items()}}


class Watch:
    """A doctor who signs once a second, and what the instance weighs meanwhile."""

    def __init__(self, instance):
        self.instance, self.session = instance, instance.session()
        self.parts = {part: instance.pid(part) for part in ("core", "front")}
        self.memory = {part: [] for part in self.parts}

    def sign(self):
        body = documents.prescribing()
        token = self.instance.token("doctor-1")
        begun = time.monotonic()
        answer = self.instance.prescribe(body, token=token, session=self.session, timeout=60)
        took = time.monotonic() - begun
        assert answer.status_code == 200, answer.text
        return took

    def facts(self):
        # Front asks core for its counters twice a second.
        time.sleep(1.5)
        return {
            "metrics": metrics(self.instance),
            "data": folder_bytes(self.instance.home / "data"),
            "log": self.instance.log.stat().st_size,
            "cpu": {part: processor_seconds([pid]) for part, pid in self.parts.items()},
            "memory": {part: resident(pid) for part, pid in self.parts.items()},
            "at": time.monotonic(),
        }

    def phase(self, goes_on, tell=None):
        """Signs while `goes_on(seconds since the begin)`; gives the facts of begin and end, and each time."""
        before, times, sampled = self.facts(), [], 0
        while goes_on(time.monotonic() - before["at"]):
            times.append(self.sign())
            spent = time.monotonic() - before["at"]
            if spent >= sampled + SAMPLE:
                sampled = spent
                for part, pid in self.parts.items():
                    self.memory[part].append(round(resident(pid), 1))
                if tell:
                    tell(spent, times)
            time.sleep(max(0, before["at"] + len(times) - time.monotonic()))
        return before, self.facts(), times


def summary(before, after, times):
    seconds = after["at"] - before["at"]
    metrics = {name: after["metrics"][name] - before["metrics"].get(name, 0) for name in after["metrics"]}
    cpu = {part: after["cpu"][part] - before["cpu"][part] for part in after["cpu"]}
    return {
        "seconds": round(seconds, 1),
        "latencyMilliseconds": spread(times),
        "records": metrics["shirushi_core_audit_records"],
        "dataBytes": sum(after["data"].values()) - sum(before["data"].values()),
        "logBytes": after["log"] - before["log"],
        "cpuSeconds": {part: round(value, 2) for part, value in cpu.items()},
        "memoryMB": {part: [round(each["memory"][part], 1) for each in (before, after)] for part in cpu},
        "counters": {
            name: value
            for name, value in metrics.items()
            if value and re.search("stranger|status=|core_requests", name)
        },
        "load": os.getloadavg(),
    }


class Flood:
    """The strangers, in a process of their own."""

    def __init__(self, instance, rate, seconds):
        self.told = multiprocessing.Queue()
        self.latest = ({}, 0)
        self.process = multiprocessing.Process(target=self.run, args=(instance, rate, seconds), daemon=True)
        self.process.start()

    def run(self, instance, rate, seconds):
        def tell(statuses, broken):
            self.told.put((dict(statuses), broken))

        _, took = flood(instance, rate, seconds, strangers_tokens(instance), tell)
        self.told.put(took)

    def goes_on(self, _=None):
        try:
            while True:
                item = self.told.get_nowait()
                if isinstance(item, float):
                    self.took = item
                    return False
                self.latest = item
        except queue.Empty:
            assert self.process.is_alive() or self.process.exitcode == 0, "the strangers ended early"
            return True


def measure(instance, seconds, rate):
    results = {"processor": processor(), "rateAsked": rate, "phases": {}}
    watch = Watch(instance)
    for _ in range(20):
        watch.sign()

    def keep(name, phase):
        results["phases"][name] = one = summary(*phase)
        print(f"{name}: {json.dumps(one)}", flush=True)

    def quiet(spent):
        return spent < QUIET

    keep("before", watch.phase(quiet))
    strangers = Flood(instance, rate, seconds)

    def tell(spent, times):
        answers = sum(strangers.latest[0].values())
        print(f"{spent:6.0f} s: {answers} answers, {answers / spent:.0f}/s, {spread(times[-60:])}", flush=True)

    keep("flood", watch.phase(strangers.goes_on, tell))
    results["memoryMB"] = watch.memory
    statuses, broken = strangers.latest
    answers = sum(statuses.values())
    flooded = results["phases"]["flood"]
    results["strangers"] = {
        "answers": answers,
        "seconds": round(strangers.took, 1),
        "perSecond": round(answers / strangers.took, 1),
        "statuses": statuses,
        "brokenConnections": broken,
    }
    print(json.dumps(results["strangers"]), flush=True)
    keep("after", watch.phase(quiet))
    count = flooded["latencyMilliseconds"]["signatures"]
    before = watch.facts()
    keep("the same signatures without strangers", (before, *control(watch, count)))
    alone = results["phases"]["the same signatures without strangers"]
    # What a second costs without strangers is not theirs.
    idle = results["phases"]["before"]
    results["perRefusal"] = {
        "cpuMicroseconds": {
            part: round((used - idle["cpuSeconds"][part] * flooded["seconds"] / idle["seconds"]) / answers * 1e6, 1)
            for part, used in flooded["cpuSeconds"].items()
        },
        "logBytes": round(flooded["logBytes"] / answers, 1),
    }
    results["grownByStrangers"] = {
        "records": flooded["records"] - 2 * count,
        "dataBytes": flooded["dataBytes"] - alone["dataBytes"],
    }
    return results


def control(watch, count):
    times = [watch.sign() for _ in range(count)]
    return watch.facts(), times


def main():
    seconds, rate = (int(text) for text in [*sys.argv[1:], *("3600", "5000")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as folder:
        instance = Instance(Path(folder) / "home").start()
        try:
            results = measure(instance, seconds, rate)
            assert instance.stop() == 0
            results["verifies"] = instance.audit_verifies()
            results["kinds"] = Counter(each.kind for each in instance.records())
        finally:
            instance.kill()
    target = ROOT / "var" / "bench" / "strangers.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps({name: results[name] for name in ("strangers", "perRefusal", "grownByStrangers", "verifies")}))
    assert results["verifies"], "the log does not hold"
    assert results["grownByStrangers"]["records"] == 0, "a stranger is in the log"
    print(f"all figures: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
