"""The console's pages over HTTP on a long log: `console.py FOLDER [ROUNDS]`, where FOLDER has AuditBench's log.

A development instance is made beside the log and takes the log for its own, with the keys that AuditBench signs with;
then a release binary serves it, an auditor signs in, and every page is asked for ROUNDS (31) times over TLS, one after
another on one kept connection. So a page here is everything: the session, the way to core, the look's own record and
its commit, the search, the records, names out of the registry, and the HTML. The log is put back at the end, longer by
the looks. Writes var/bench/console.json.
"""

import contextlib
import json
import os
import random
import re
import shutil
import sqlite3
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

import requests  # noqa: E402
from instance import Instance, shirushi  # noqa: E402

from bench import processor, processor_seconds  # noqa: E402

# As AuditBench's BenchLog and Traffic have them.
ORIGIN = "log.example/bench"
SECRETS = {"pseudonym.key": bytes(range(32)), "log.key": bytes(range(32, 64)), "checkpoint.key": bytes(range(64, 96))}
HOLDERS, CLIENTS, REGISTERED, FACILITIES = 20_000, 3000, 900, 90
JAPAN = timezone(timedelta(hours=9))
LOG = ("core.sqlite", "core.sqlite-wal", "core.sqlite-shm", "audit.head", "audit.mark", "audit-index.sqlite",
       "audit-index.sqlite-wal", "audit-index.sqlite-shm")  # fmt: skip
OF_THE_LOG = ("audit_", "erasure", "holder", "schema_part", "sqlite_")
GOAL = 300
CHANCE = random.Random(7)


def move(folder, target):
    for name in LOG:
        if (folder / name).exists():
            os.replace(folder / name, target / name)


def take_over(folder, home):
    """Makes the log in `folder` that of the instance; what else the instance's database has is copied into it."""
    data = home / "data"
    own = home / "own"
    own.mkdir()
    move(data, own)
    move(folder, data)
    for name, secret in SECRETS.items():
        (home / "secrets" / name).write_bytes(secret)
    with sqlite3.connect(data / "core.sqlite") as database:
        database.execute("ATTACH ? AS own", (str(own / "core.sqlite"),))
        known = {name for (name,) in database.execute("SELECT name FROM main.sqlite_master")}
        tables = "SELECT type, name, sql FROM own.sqlite_master ORDER BY type = 'index'"
        for kind, name, sql in database.execute(tables).fetchall():
            if name not in known and sql is not None:
                database.execute(sql)
            # An earlier run may have left the rows of its own instance.
            if kind == "table" and not name.startswith(OF_THE_LOG):
                database.execute(f"DELETE FROM main.{name}")
                database.execute(f"INSERT INTO main.{name} SELECT * FROM own.{name}")
        database.execute("INSERT OR IGNORE INTO main.schema_part SELECT * FROM own.schema_part")
        database.execute("INSERT OR IGNORE INTO main.holder SELECT * FROM own.holder")
    database.close()


def configure(settings):
    """The log's name, and ten client systems for each facility."""
    settings["origin"] = ORIGIN
    settings["clients"] += [
        {"id": f"client-{number:05}", "facility": facility(number), "kind": "medical"} for number in range(REGISTERED)
    ]


def facility(number):
    return f"131{number % FACILITIES:07}"


def put_back(folder, home):
    move(home / "data", folder)
    shutil.rmtree(home)


def metric(instance, name):
    text = requests.get(f"http://127.0.0.1:{instance.metrics_port}/metrics", timeout=30).text
    found = re.search(rf"^{name} (\S+)", text, re.M)
    return float(found[1]) if found else None




def records(home):
    """The log's size."""
    with contextlib.closing(sqlite3.connect(home / "data" / "core.sqlite")) as database:
        return database.execute("SELECT MAX(sequence) + 1 FROM audit_entry").fetchone()[0]


def await_index(instance):
    """Waits until every record is in the index; gives the log's size, and the seconds that it took."""
    begun = time.monotonic()
    while True:
        size = records(instance.home)
        behind = metric(instance, "shirushi_core_audit_index_behind")
        if behind == 0 and metric(instance, "shirushi_core_audit_records") == size:
            print("\r", end="", file=sys.stderr)
            return size, round(time.monotonic() - begun, 1)
        print(f"\r{behind} records are not in the index yet ", end="", file=sys.stderr, flush=True)
        time.sleep(2)


def sign_in(instance):
    session = instance.session()
    token = shirushi("token", "--home", instance.home, "--reviewer", "auditor").stdout.strip()
    page = session.get(instance.url + "/console/sign-in?lang=en", timeout=60)
    form = re.search(r'name="form" value="([^"]+)"', page.text)[1]
    headers = {"Origin": instance.url}
    answer = session.post(
        instance.url + "/console/sign-in", {"form": form, "to": "", "token": token}, headers=headers, timeout=60,
        allow_redirects=False,
    )  # fmt: skip
    assert answer.status_code == 303 and answer.headers["Location"] == "/console", (answer.status_code, answer.text)
    return session


def searches(size, days):
    """What is searched by, as AuditBench's Searches has it; each is a function that draws a query."""

    def holder():
        return f"holder-{CHANCE.randrange(HOLDERS):06}"

    def client():
        return f"client-{CHANCE.randrange(CLIENTS):05}"

    def day():
        one = (datetime(2026, 1, 1, tzinfo=JAPAN) + timedelta(days=CHANCE.randrange(days))).date().isoformat()
        return {"from": one, "to": one}

    def one_of(*values):
        return CHANCE.choice(values)

    outcomes, forms = ("signed", "failed", "unknown"), ("prescription", "dispensing", "other")
    return {
        "nothing": dict,
        "holder": lambda: {"holder": holder()},
        "key": lambda: {"key": f"key-{CHANCE.randrange(HOLDERS):06}"},
        "client system": lambda: {"client": client()},
        "facility": lambda: {"facility": facility(CHANCE.randrange(FACILITIES))},
        "kind": lambda: {"kind": one_of("intent", "outcome", "refusal")},
        "outcome": lambda: {"outcome": one_of(*outcomes)},
        "form": lambda: {"document": one_of(*forms)},
        "failure": lambda: {"failure": one_of("denied", "windowElapsed")},
        "an id": lambda: {"text": f"r-{CHANCE.randrange(size // 2):012}"},
        "a day": day,
        "a day and a kind": lambda: {**day(), "kind": "refusal"},
        "holder and outcome": lambda: {"holder": holder(), "outcome": "failed"},
        "client and form": lambda: {"client": client(), "document": "other"},
        "client and kind": lambda: {"client": client(), "kind": "refusal"},
        "form and kind": lambda: {"document": one_of(*forms), "kind": "intent"},
        "form and outcome": lambda: {"document": one_of(*forms), "outcome": "signed"},
        "kind, form and outcome": lambda: {"kind": "outcome", "document": "other", "outcome": "signed"},
        "a month, facility, form and outcome": lambda: {
            "from": "2026-01-01",
            "to": "2026-01-31",
            "facility": facility(CHANCE.randrange(FACILITIES)),
            "document": one_of(*forms),
            "outcome": "signed",
        },
    }


def spread(times):
    times = sorted(round(time * 1000, 1) for time in times)
    return {"median": times[len(times) // 2], "p95": times[int(len(times) * 0.95)], "worst": times[-1]}


def asked(instance, session, path, query=None):
    begun = time.monotonic()
    answer = session.get(instance.url + path, params=query, timeout=60, allow_redirects=False)
    content = answer.text
    took = time.monotonic() - begun
    assert answer.status_code == 200, (path, query, answer.status_code, content[:500])
    return took, content


def measure(instance, rounds, size):
    session = sign_in(instance)
    rows = {}
    for name, draw in searches(size, max(1, size * 365 // 10_000_000)).items():
        times, shown = [], 0
        for number in range(rounds):
            query = {**draw(), **({"before": CHANCE.randrange(size)} if number % 2 else {})}
            took, content = asked(instance, session, "/console/search", query)
            times.append(took)
            shown += content.count('href="/console/records/')
        rows["search by " + name] = {**spread(times), "recordsLinked": round(shown / rounds, 1)}
        print(f"search by {name}: {json.dumps(rows['search by ' + name])}", flush=True)
    others = {
        "overview": lambda: "/console",
        "one record with its proof": lambda: f"/console/records/{CHANCE.randrange(size)}",
        "anomalies": lambda: "/console/anomalies",
        "the log's head": lambda: "/console/log",
    }
    for name, path in others.items():
        rows[name] = spread([asked(instance, session, path())[0] for _ in range(rounds)])
        print(f"{name}: {json.dumps(rows[name])}", flush=True)
    return rows


def main():
    folder = Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 31
    place = folder / "served"
    place.mkdir()
    instance = Instance(place / "home")
    instance.configure(configure)
    take_over(folder, instance.home)
    results = {"processor": processor(), "rounds": rounds}
    try:
        begun = time.monotonic()
        instance.start(ready=False)
        instance.await_ready(300)
        results["startSeconds"] = round(time.monotonic() - begun, 2)
        size, results["indexSeconds"] = await_index(instance)
        results["records"] = size
        print(f"{size} records; a start {results['startSeconds']} s; the index {results['indexSeconds']} s")
        parts = {part: instance.pid(part) for part in ("core", "front")}
        before = {part: processor_seconds([pid]) for part, pid in parts.items()}
        results["pages"] = pages = measure(instance, rounds, size)
        results["cpuMillisecondsEach"] = {
            part: round((processor_seconds([pid]) - before[part]) / len(pages) / rounds * 1000, 1)
            for part, pid in parts.items()
        }
        results["looksRecorded"] = records(instance.home) - size
        results["memoryMB"] = round(instance.memory())
        results["load"] = os.getloadavg()
        # Who asks for the log's head learns nothing of anybody, so that is no look.
        assert results["looksRecorded"] == (len(pages) - 1) * rounds, "a look was not recorded"
        assert instance.stop() == 0
    finally:
        instance.kill()
        put_back(folder, instance.home)
        shutil.rmtree(place)
    target = ROOT / "var" / "bench" / "console.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    slow = [name for name, row in pages.items() if name.startswith("search") and row["median"] >= GOAL]
    print(f"{results['looksRecorded']} looks recorded; searches of a median of {GOAL} ms and more: {slow or 'none'}")
    print(f"all figures: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
