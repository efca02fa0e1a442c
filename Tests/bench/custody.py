"""Wrapped keys at national scale: latency with a thousand and a million holders, a miss beside raw unwrap, sign and
destroy, start-up and memory.

All is measured in one run on one machine, on three instances whose requests alternate, so the ratios mean more than
the figures. The holders' rows are written into the database while nothing serves: they share the certificates and
wrapped keys of the instance's own prescribers, sealed anew for each holder, and have no entries in the log. Every
request has a fresh token of its own. Writes var/bench/custody.json and prints a table.

    custody.py [--holders 1000,1000000] [--rounds 1500] [--cold 100000] [--cold-seconds 210]
"""

import argparse
import hmac
import json
import os
import random
import re
import signal
import socket
import sqlite3
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

import contract  # noqa: E402
import documents  # noqa: E402
from bench import CONNECTIONS, processor, processor_seconds, run  # noqa: E402
from instance import Instance, complete  # noqa: E402
from tokens import Issuer  # noqa: E402

CACHE = 512
# More than core remembers, so that none is judged by heart.
TOKENS = 40_000
SLICE = 15
GOALS = {"latency": 1.3, "miss": 1.25, "ready": 5, "memory": 512}


# The holders' rows.


def text(value):
    return data(value.encode())


def data(value):
    return struct.pack(">I", len(value)) + value


def seal(key, credential, holder, key_type, public_key, epoch, blob):
    """What binds a wrapped key to its place; KeyBinding.message in Sources/Keys/Registry/KeyMaterial.swift."""
    owner = struct.pack(">H", 2) + text(credential) + text(holder)
    message = text("shirushi/wrapped-key/1") + owner + text(key_type) + data(public_key)
    return hmac.digest(key, message + struct.pack(">q", epoch) + data(blob), "sha256")


def rows(database, statement, *values):
    cursor = database.execute(statement, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor]


def insert(database, table, many):
    names = list(many[0])
    database.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        [tuple(row.values()) for row in many],
    )


def name(number):
    return f"bench-{number:07}"


def fill(home, count):
    """Adds `count` holders with an active wrapped key each; gives the seconds that it took."""
    started = time.monotonic()
    key = (home / "secrets" / "custody.key").read_bytes()
    database = sqlite3.connect(contract.database(home), isolation_level=None)
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = OFF", "synchronous = OFF", "cache_size = -262144"):
        database.execute(f"PRAGMA {pragma}").fetchall()
    shared = []
    for own in sorted(contract.PRESCRIBERS):
        (holder,) = rows(database, "SELECT * FROM holder WHERE id = ?", own)
        (credential,) = rows(database, "SELECT * FROM credential WHERE holder = ?", own)
        (material,) = rows(database, "SELECT * FROM key_material WHERE credential = ?", credential["id"])
        parts = credential["key_type"], credential["public_key"], material["epoch"], material["blob"]
        assert seal(key, credential["id"], own, *parts) == material["seal"], "the seal's notation has changed"
        assert holder["facts"].startswith(text(own))
        shared.append((holder, credential, material, parts))
    database.execute("BEGIN")
    for start in range(0, count, 5000):
        tables = {"holder": [], "credential": [], "key_material": []}
        for number in range(start, min(start + 5000, count)):
            holder, credential, material, parts = shared[number % len(shared)]
            this, held = name(number), f"{name(number)}-key-1"
            facts = text(this) + holder["facts"][len(text(holder["id"])) :]
            tables["holder"].append({**holder, "id": this, "facts": facts, "record": None})
            tables["credential"].append({**credential, "id": held, "holder": this, "record": None})
            tables["key_material"].append({**material, "credential": held, "seal": seal(key, held, this, *parts)})
        for table, many in tables.items():
            insert(database, table, many)
    database.execute("COMMIT")
    database.execute("PRAGMA journal_mode = WAL").fetchall()
    database.close()
    return time.monotonic() - started


def forget_pages(path):
    """Lets the kernel drop what it caches of the file."""
    descriptor = os.open(path, os.O_RDWR)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def read_pages(path):
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


# What is measured.


class Client:
    """One connection to an instance, with as little of its own as may be: it shares the machine."""

    def __init__(self, instance, count):
        self.instance, self.count, self.issuer = instance, count, Issuer.of(instance)
        context = ssl.create_default_context(cafile=contract.server_ca(instance.home))
        plain = socket.create_connection(("127.0.0.1", instance.port), 30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")

    def sign(self, number=None):
        """Milliseconds of one prescription by a holder, a random one unless told."""
        holder = name(random.randrange(self.count) if number is None else number)
        body = json.dumps(documents.prescribing()).encode()
        head = (
            f"POST /v1/prescriptions HTTP/1.1\r\nHost: localhost:{self.instance.port}\r\n"
            f"Authorization: Bearer {self.issuer.token(holder)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        started = time.perf_counter()
        self.socket.sendall(head + body)
        answer = b""
        while b"\r\n\r\n" not in answer or not complete(answer):
            part = self.socket.recv(1 << 17)
            assert part, f"closed behind {answer!r}"
            answer += part
        took = time.perf_counter() - started
        assert answer.startswith(b"HTTP/1.1 200"), answer.decode(errors="replace")
        return took * 1e3


def cache_counts(instance):
    """Hits and misses so far, as the metrics tell."""
    time.sleep(1.5)
    answer = requests.get(f"http://127.0.0.1:{instance.metrics_port}/metrics", timeout=10)
    found = dict(re.findall(r'^shirushi_core_key_cache_total{result="(\w+)"} (\d+)', answer.text, re.M))
    return {result: int(found[result]) for result in ("hit", "miss")}


def thread_seconds(instance):
    """CPU seconds of each of core's threads."""
    found = {}
    for task in Path(f"/proc/{instance.pid('core')}/task").iterdir():
        try:
            found[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:
            pass
    return found


def busiest(before, after, number):
    """CPU seconds of the threads that used most: with RSA those of the module's sessions, by far; they have no name."""
    return sum(sorted((used - before.get(task, 0) for task, used in after.items()), reverse=True)[:number])


class Raw:
    """The C program on the instance's own token and the blob of one of its keys."""

    def __init__(self, folder, home):
        program = folder / "cunwrap"
        run("cc", "-O2", "-I/usr/include/p11-kit-1", "-o", program, HERE / "cunwrap.c", "-ldl")
        database = sqlite3.connect(contract.database(home))
        (blob,) = database.execute("SELECT blob FROM key_material WHERE credential = 'doctor-1-key-1'").fetchone()
        database.close()
        (folder / "blob").write_bytes(blob)
        pin = home / "secrets" / "hsm.pin"
        self.words = [program, contract.SOFTHSM, "shirushi", pin, "shirushi wrapping 1", folder / "blob"]
        self.environment = {**os.environ, "SOFTHSM2_CONF": str(home / "hsm" / "softhsm2.conf")}
        self.process = subprocess.Popen(
            [*map(str, self.words), "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
            bufsize=0,
        )

    def once(self):
        """One miss and one signature with a held handle, in microseconds."""
        self.process.stdin.write(b"\n")
        return json.loads(self.process.stdout.readline())

    def loop(self, seconds):
        """Microseconds of each in a tight loop."""
        found = json.loads(run(*self.words, seconds, env=self.environment))
        return {
            "missCpu": found["cpu"] / found["unwrapped"] * 1e6,
            "missWall": found["wall"] / found["unwrapped"] * 1e6,
            "signWall": found["heldWall"] / found["held"] * 1e6,
        }

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def made(folder, label, count, cache, key_type):
    instance = Instance(folder / label, options=["--key-type", key_type])

    def settle(settings):
        settings.setdefault("limits", {}).update(perClientRate=0)
        assert settings["keys"]["mode"] == "wrapped"
        settings["keys"]["cache"] = {"size": cache, "lifetime": "1h"}

    instance.configure(settle)
    return instance, fill(instance.home, count)


def started(instance):
    """Starts it with nothing of its database in memory; gives the seconds until it is ready."""
    forget_pages(contract.database(instance.home))
    begun = time.monotonic()
    instance.start()
    return time.monotonic() - begun


def percentiles(values):
    cuts = statistics.quantiles(values, n=100)
    return {"p50": statistics.median(values), "p95": cuts[94], "p99": cuts[98], "requests": len(values)}


def alternating(few, many, cached, raw, rounds):
    """One sequential client each, by turns: random holders without a cache, a miss and its hit with one, and raw C."""
    order = list(range(cached.count))
    random.shuffle(order)
    # A lap, so that nothing is done for the first time; it ends with the cache full of others.
    for number in order:
        for client in (few, many, cached):
            client.sign(number if client is cached else None)
    beside = []
    latencies = {"few": [], "many": [], "miss": [], "hit": []}
    before = {client: thread_seconds(client.instance) for client in (few, many)}
    counted = cache_counts(cached.instance)
    for turn in range(rounds):
        number = order[turn % len(order)]
        steps = [
            lambda: latencies["few"].append(few.sign()),
            lambda: latencies["many"].append(many.sign()),
            lambda: (latencies["miss"].append(cached.sign(number)), latencies["hit"].append(cached.sign(number))),
            lambda: beside.append(raw.once()),
        ]
        random.shuffle(steps)
        for step in steps:
            step()
    after = cache_counts(cached.instance)
    return {
        "latency": {which: percentiles(values) for which, values in latencies.items()},
        "rawByTurns": {
            "missCpu": statistics.mean(each["missCpu"] for each in beside),
            "missWall": statistics.median(each["missWall"] for each in beside),
            "signWall": statistics.median(each["signWall"] for each in beside),
        },
        "coldMinusHot": statistics.median(f - h for f, h in zip(latencies["few"], latencies["hit"])) * 1e3,
        "moduleCpu": {
            # One client at a time: the session that was free last is taken first, so all is done by one.
            which: busiest(before[client], thread_seconds(client.instance), 1) / rounds * 1e6
            for which, client in (("few", few), ("many", many))
        },
        "cache": {result: after[result] - counted[result] for result in after},
    }


def loaded(folder, instance, count, cold, seconds):
    """Cold signatures by many clients at once until `cold` are made or `seconds` are over, with memory on the way."""
    issuer = Issuer.of(instance)
    until = int(time.time()) + 15 * 3600
    tokens, bodies = folder / "tokens", folder / "bodies"
    tokens.write_text("".join(issuer.token(name(random.randrange(count)), exp=until) + "\n" for _ in range(TOKENS)))
    bodies.write_text("".join(json.dumps(documents.prescribing()) + "\n" for _ in range(512)))
    pids = [instance.pid("core"), instance.pid("front")]
    start = cache_counts(instance)["miss"]
    used, threads, begun = processor_seconds(pids), thread_seconds(instance), time.monotonic()
    sessions = instance.settings()["hsm"]["sessions"]
    done, answers, failed, memory, latencies, busy = 0, 0, 0, [(0, instance.memory())], [], 0
    while done < cold and time.monotonic() - begun + SLICE < seconds:
        environment = {**os.environ, "BODIES": str(bodies), "TOKENS": str(tokens), "FIRST": str(answers)}
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", "-s", HERE / "prescriptions.lua", "--timeout", "10s"]
        said = run(*command, f"-d{SLICE}s", instance.url, env=environment)
        found = json.loads(re.search(r"^JSON (.*)$", said, re.M)[1])
        answers, failed, busy = answers + found["answers"], failed + found["failed"], busy + found["seconds"]
        latencies.append(found["p50"])
        done = cache_counts(instance)["miss"] - start
        memory.append((done, instance.memory()))
        rate = found["answers"] / found["seconds"]
        print(f"  {done:9,} cold signatures, {rate:5.0f}/s, {memory[-1][1]:.0f} MB", flush=True)
    assert failed == 0, f"{failed} requests failed"
    return {
        "signatures": done,
        "perSecond": answers / busy,
        "p50": statistics.median(latencies),
        "cpuMicroseconds": (processor_seconds(pids) - used) / done * 1e6,
        "moduleCpuMicroseconds": busiest(threads, thread_seconds(instance), sessions) / done * 1e6,
        "memoryMB": memory,
        "logMB": sum(file.stat().st_size for file in (instance.home / "data").glob("*-wal")) / 1e6,
    }


# The run and its words.


def goal(label, value, bound, unit="", digits=2):
    word = "holds" if value <= bound else "DOES NOT HOLD"
    print(f"  {label}: {value:.{digits}f}{unit} (goal at most {bound}{unit}): {word}", flush=True)
    return {"value": value, "goal": bound, "holds": value <= bound}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--holders", default="1000,1000000", help="few and many")
    parser.add_argument("--rounds", type=int, default=1500, help="sequential requests of each kind; 0 for none")
    parser.add_argument("--cold", type=int, default=100_000, help="cold signatures under load")
    parser.add_argument("--key-type", default="rsa-2048", help="the holders'; raw C runs beside RSA alone")
    parser.add_argument("--cold-seconds", type=int, help="the longest that these may take; 210, or none with --cold")
    chosen = parser.parse_args()
    few, many = map(int, chosen.holders.split(","))
    seconds = chosen.cold_seconds or (210 if chosen.cold == parser.get_default("cold") else 1 << 30)
    # So that what was started and made is cleaned away too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begun = time.monotonic()
    results = {"processor": processor(), "load": os.getloadavg(), "holders": [few, many], "databaseMB": {}}
    instances = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        print(
            f"holders' rows are written straight into the database; they share {len(contract.PRESCRIBERS)}"
            f" {chosen.key_type} keys and certificates, sealed anew for each holder, and the log does not know them\n"
            f"{os.cpu_count()} cores shared with the clients; load at the start "
            + " ".join(f"{each:.1f}" for each in results["load"]),
            flush=True,
        )
        try:
            for label, count, cache in (("few", few, 0), ("many", many, 0), ("cached", few, CACHE)):
                instance, took = made(folder, label, count, cache, chosen.key_type)
                instances.append(instance)
                size = results["databaseMB"][label] = contract.database(instance.home).stat().st_size / 1e6
                print(f"{label}: {count:,} holders, cache {cache or 'off'}, {size:,.0f} MB, written in {took:.0f} s")
            measured(folder, instances, (few, many), chosen, seconds, results)
        finally:
            for instance in instances:
                instance.kill()
    results["seconds"] = time.monotonic() - begun
    target = ROOT / "var" / "bench" / "custody.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(f"all figures: {target.relative_to(ROOT)}; the run took {results['seconds']:.0f} s")


def compared(folder, instances, holders, chosen, results):
    """One request at a time: few and many holders, hits and misses, and a miss beside raw C."""
    small, big, cached = instances
    goals = results["goals"]
    client = Client(big, holders[1])
    results["unread"] = percentiles([client.sign() for _ in range(200)])
    read_pages(contract.database(big.home))
    raw = Raw(folder, small.home)
    clients = Client(small, holders[0]), Client(big, holders[1]), Client(cached, holders[0])
    found = alternating(*clients, raw, chosen.rounds)
    raw.close()
    loop = found["rawLoop"] = raw.loop(3)
    results.update(found)

    latency = found["latency"]
    print("latency of one sequential client in ms")
    for which, label in (
        ("few", f"cache off, {holders[0]:,} holders"),
        ("many", f"cache off, {holders[1]:,} holders"),
        ("miss", f"cache of {CACHE}, {holders[0]:,} holders: misses"),
        ("hit", f"cache of {CACHE}, {holders[0]:,} holders: hits"),
    ):
        one = latency[which]
        print(f"  {label:44} p50 {one['p50']:6.2f}  p95 {one['p95']:6.2f}  p99 {one['p99']:6.2f}  n {one['requests']}")
    unread = results["unread"]
    print(f"  (the first {unread['requests']} of {holders[1]:,}, pages not in memory: p50 {unread['p50']:.2f})")
    goals["latency"] = goal("many to few", latency["many"]["p50"] / latency["few"]["p50"], GOALS["latency"])
    print(f"the cache's own count of those: {found['cache']['hit']} hits, {found['cache']['miss']} misses")

    turns, module = found["rawByTurns"], found["moduleCpu"]
    print("a miss in µs, beside raw C that unwraps the same blob, signs and destroys")
    for label, beside in (("raw by turns with the requests", turns), ("raw in a tight loop", loop)):
        print(
            f"  {label}: {beside['missWall']:.0f} (CPU {beside['missCpu']:.0f});"
            f" signing with a held handle {beside['signWall']:.0f}")
    print(
        f"  CPU of the session's thread in core: {module['few']:.0f} with {holders[0]:,} holders,"
        f" {module['many']:.0f} with {holders[1]:,}")
    goals["missCpu"] = goal("that to raw by turns", module["few"] / turns["missCpu"], GOALS["miss"])
    goals["missCpuLoop"] = goal("that to raw in a tight loop", module["few"] / loop["missCpu"], GOALS["miss"])
    miss = found["coldMinusHot"] + turns["signWall"]
    print(
        f"  a request without a cache less a hit {found['coldMinusHot']:.0f}, and a raw signature's time: {miss:.0f},"
        " which is what the key takes of a request")
    goals["missWall"] = goal("that to raw by turns", miss / turns["missWall"], GOALS["miss"])


def measured(folder, instances, holders, chosen, seconds, results):
    small, big, cached = instances
    goals = results["goals"] = {}

    results["ready"] = {"few": started(small), "cached": started(cached), "many": started(big)}
    results["memoryAtStart"] = big.memory()
    print("start-up, the database's pages not in memory")
    print(f"  {holders[0]:,} holders: {results['ready']['few']:.2f} s, {small.memory():.0f} MB")
    goals["ready"] = goal(f"{holders[1]:,} holders", results["ready"]["many"], GOALS["ready"], " s")
    goals["memoryAtStart"] = goal("memory of core and front then", results["memoryAtStart"], GOALS["memory"], " MB", 0)

    if chosen.rounds:
        compared(folder, instances, holders, chosen, results)
    for instance in (small, cached):
        assert instance.stop() == 0
    print(f"cold signatures by {CONNECTIONS} connections, {holders[1]:,} holders, cache off")
    results["cold"] = cold = loaded(folder, big, holders[1], chosen.cold, seconds)
    print(
        f"  {cold['signatures']:,} at {cold['perSecond']:.0f}/s, p50 {cold['p50']:.1f} ms,"
        f" CPU {cold['cpuMicroseconds']:.0f} µs each,"
        f" {cold['moduleCpuMicroseconds']:.0f} of them in the sessions' threads; log file {cold['logMB']:.0f} MB"
    )
    goals["memory"] = goal(
        f"memory behind {cold['signatures']:,} cold signatures, at its most", max(size for _, size in cold["memoryMB"]),
        GOALS["memory"], " MB", 0)
    # Only behind what fills core's memory of tokens and rows.
    (early, low), (late, high) = cold["memoryMB"][len(cold["memoryMB"]) * 2 // 3 - 1], cold["memoryMB"][-1]
    if late > early and late < 1_000_000:
        slope = (high - low) / (late - early)
        results["extrapolatedMB"] = high + slope * (1_000_000 - late)
        print(
            f"  EXTRAPOLATED, not measured: {slope * 1e6:.0f} bytes each in the last third, so"
            f" {results['extrapolatedMB']:.0f} MB behind a million if nothing were given back"
        )
    assert big.stop() == 0
    results["readyAgain"] = started(big)
    goals["readyAgain"] = goal("start-up with the log of these signatures", results["readyAgain"], GOALS["ready"], " s")
    assert big.stop() == 0


if __name__ == "__main__":
    main()
