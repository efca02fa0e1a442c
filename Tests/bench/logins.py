"""Logins and token requests per second beside signing, and a long run at a steady rate.

A login is the whole way by a card: authorize, the card's host by a TLS handshake with the card's certificate, a session
in core, the code, tokens; clogin.c is the crowd. Each login is a browser without cookies. All is measured in one run on
one machine that client and server share. Writes var/bench/logins.json, or var/bench/logins-long.json.

    logins.py
    logins.py --long [--rate 200] [--seconds 1800] [--threads 64]
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

import contract  # noqa: E402
import documents  # noqa: E402
from bench import CONNECTIONS, SECONDS, processor, processor_seconds, raw, run  # noqa: E402
from instance import Instance, shirushi  # noqa: E402
from strict_client import Client  # noqa: E402

PARTS = ("front", "core")
WARM = 2


def made(folder):
    """An instance whose platform takes as many logins as come, and a client of the plain profile."""
    instance = Instance(folder / "home")

    def settle(settings):
        settings["platform"].update(addressPerSecond=100_000, clientPerSecond=100_000)
        settings.setdefault("limits", {}).update(perClientRate=0, perClient=1000)

    instance.configure(settle)
    instance.client = Client(
        instance, "bench", authentication="none", dpop=False, profile="plain", scopes=["openid", "sign"]
    ).register()
    return instance


def crowd(instance, program, mode, seconds, *more):
    """The command of clogin for this instance."""
    home = instance.home
    cards = [str(contract.card(home, holder, "hpki")[0].with_suffix("")) for holder in contract.HOLDERS]
    words = {
        "issuer": instance.port,
        "card": f"{contract.CARD_HOSTS['hpki']}:{instance.hpki_port}",
        "ca": contract.server_ca(home),
        "client": instance.client.name,
        "redirect": instance.client.redirect,
        "seconds": seconds,
    }
    options = [f"--{name}={value}" for name, value in words.items()]
    return [str(program), *options, *map(str, more), mode, *cards]


def resident(instance):
    """Resident memory of each part, in MB."""
    statuses = {part: Path(f"/proc/{instance.pid(part)}/status").read_text() for part in PARTS}
    return {part: int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024 for part, text in statuses.items()}


def used(instance):
    """Processor seconds of each part so far."""
    return {part: processor_seconds([instance.pid(part)]) for part in PARTS}


def measured(instance, load, what):
    """Runs `load`, which says what it did, and gives that with what it cost the server."""
    memory, before = resident(instance), used(instance)
    found = load()
    after = used(instance)
    count = found[what]
    assert found["failed"] == 0 and count > 0, f"{found['failed']} {what} failed, {count} did not"
    return {
        "perSecond": count / found["seconds"],
        "cpuMicroseconds": {part: (after[part] - before[part]) / count * 1e6 for part in PARTS},
        **{name: found[name] for name in ("p50", "p95", "p99", "max")},
        "memoryMB": {"before": memory, "after": resident(instance)},
    }


def logins(instance, program, mode, seconds):
    return json.loads(run(*crowd(instance, program, mode, seconds, f"--threads={CONNECTIONS}")).splitlines()[-1])


def signatures(instance, folder, seconds):
    bodies = folder / "bodies"
    bodies.write_text("".join(json.dumps(documents.prescribing()) + "\n" for _ in range(512)))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "-s", HERE / "prescriptions.lua", "--timeout", "10s", f"-d{seconds}s"]
    environment = {**os.environ, "BODIES": str(bodies), "TOKEN": instance.token("doctor-1")}
    return json.loads(re.search(r"^JSON (.*)$", run(*command, instance.url, env=environment), re.M)[1])


def compared(folder, program):
    """Each kind of request as fast as it goes, one after another."""
    instance = made(folder)
    kinds = {
        "logins": ("logins", lambda seconds: logins(instance, program, "login", seconds)),
        "refreshes": ("refreshes", lambda seconds: logins(instance, program, "token", seconds)),
        "signatures": ("answers", lambda seconds: signatures(instance, folder, seconds)),
    }
    results = {"processor": processor(), "load": os.getloadavg(), "connections": CONNECTIONS}
    print(f"load at the start {results['load'][0]:.1f}; {CONNECTIONS} connections; CPU in µs each", flush=True)
    print(
        f"{'':11}{'per s':>7} {'p50 ms':>7} {'p95':>7} {'p99':>7} {'front':>7} {'core':>7}"
        f" {'front MB':>12} {'core MB':>12}"
    )
    try:
        instance.start()
        for name, (what, load) in kinds.items():
            load(WARM)
            row = results[name] = measured(instance, lambda: load(SECONDS), what)
            cpu, (before, after) = row["cpuMicroseconds"], row["memoryMB"].values()
            sizes = " ".join(f"{before[part]:5.0f} ->{after[part]:4.0f}" for part in PARTS)
            print(
                f"{name:11}{row['perSecond']:7.0f} {row['p50']:7.1f} {row['p95']:7.1f} {row['p99']:7.1f}"
                f" {cpu['front']:7.0f} {cpu['core']:7.0f} {sizes}",
                flush=True,
            )
        assert instance.stop() == 0
        assert instance.audit_verifies(), "the log does not verify"
    finally:
        instance.kill()
    # A measure of the machine's hour, by which the figures of different runs can be compared.
    signer = folder / "csign"
    run("cc", "-O2", "-I/usr/include/p11-kit-1", "-o", signer, HERE / "csign.c", "-ldl", "-lpthread")
    results["raw"] = raw(folder, signer, "rsa-2048", os.cpu_count())
    print(f"raw C_Sign with RSA-2048 beside them: {results['raw']['cpuMicroseconds']:.0f} µs")
    return results


def steady(folder, program, chosen):
    """Logins at a rate, each at its time, with a line for each part of the run; then the whole log is verified."""
    instance = made(folder)
    every = max(10, chosen.seconds // 30)
    results = {"processor": processor(), "load": os.getloadavg(), "rate": chosen.rate, "parts": []}
    print(
        f"{chosen.rate} logins a second for {chosen.seconds} s, {chosen.threads} at once at the most;"
        f" load at the start {results['load'][0]:.1f}\n"
        f"{'s':>6} {'logins/s':>8} {'failed':>6} {'p50 ms':>8} {'p95':>8} {'p99':>8} {'max':>8}"
        f" {'front, core: cores':>19} {'front, core: MB':>16} {'core.sqlite MB':>14}",
        flush=True,
    )

    def line(found, begun, before):
        now = used(instance)
        cores = {part: (now[part] - before[part]) / found["seconds"] for part in PARTS}
        size = sum(file.stat().st_size for file in (instance.home / "data").glob("core.sqlite*")) / 1e6
        row = {
            **found,
            "at": time.monotonic() - begun,
            "perSecond": found["logins"] / found["seconds"],
            "cores": cores,
            "memoryMB": resident(instance),
            "databaseMB": size,
            "load": os.getloadavg()[0],
        }
        print(
            f"{row['at']:6.0f} {row['perSecond']:8.1f} {found['failed']:6}"
            + "".join(f" {found.get(name, 0):8.1f}" for name in ("p50", "p95", "p99", "max"))
            + f" {cores['front']:12.2f} {cores['core']:6.2f}"
            + f" {row['memoryMB']['front']:9.0f} {row['memoryMB']['core']:6.0f} {size:14.1f}",
            flush=True,
        )
        return row, now

    more = [f"--rate={chosen.rate}", f"--threads={chosen.threads}", f"--report={every}"]
    try:
        instance.start()
        logins(instance, program, "login", WARM)
        results["memoryBeforeMB"] = resident(instance)
        first = last = used(instance)
        begun = time.monotonic()
        command = crowd(instance, program, "login", chosen.seconds, *more)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
            try:
                for _ in range(chosen.seconds // every):
                    row, last = line(json.loads(load.stdout.readline()), begun, last)
                    results["parts"].append(row)
                said = load.stdout.read()
            except BaseException:
                load.kill()
                raise
        assert load.returncode == 0 and said, f"clogin ended with {load.returncode}"
        print("all of it:")
        whole = results["whole"] = line(json.loads(said), begun, first)[0]
        whole["cpuMicroseconds"] = {
            part: whole["cores"][part] * whole["seconds"] / whole["logins"] * 1e6 for part in PARTS
        }
        assert instance.stop(120) == 0
        # Without what had still to be moved from the write-ahead log.
        results["databaseMB"] = contract.database(instance.home).stat().st_size / 1e6
        verified = time.monotonic()
        verifying = shirushi("audit", "verify", "--home", instance.home, check=False, timeout=3600)
        results["logVerifies"] = verifying.returncode == 0
        results["verifySeconds"] = time.monotonic() - verified
    finally:
        instance.kill()
    cpu, crowd_cpu = whole["cpuMicroseconds"], whole["cpu"] / whole["logins"] * 1e6
    print(
        f"CPU each: front {cpu['front']:.0f} µs, core {cpu['core']:.0f} µs; the crowd's own {crowd_cpu:.0f} µs."
        f" core.sqlite, closed: {results['databaseMB']:.0f} MB."
        f" The log {'verifies' if results['logVerifies'] else 'DOES NOT VERIFY'} ({results['verifySeconds']:.0f} s)"
    )
    results["holds"] = (
        results["logVerifies"] and whole["failed"] == 0 and whole["logins"] >= chosen.rate * chosen.seconds * 0.999
        and whole["seconds"] <= chosen.seconds + 5
    )
    print(f"{chosen.rate} logins a second: {'holds' if results['holds'] else 'DOES NOT HOLD'}")
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true", help="logins at a steady rate")
    parser.add_argument("--rate", type=int, default=200, help="logins a second of the long run")
    parser.add_argument("--seconds", type=int, default=1800, help="of the long run")
    parser.add_argument("--threads", type=int, default=64, help="logins at once in the long run")
    chosen = parser.parse_args()
    # So that what was started and made is cleaned away too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        program = folder / "clogin"
        run("cc", "-O2", "-o", program, HERE / "clogin.c", "-lssl", "-lcrypto", "-lpthread", "-lm")
        results = steady(folder, program, chosen) if chosen.long else compared(folder, program)
    target = ROOT / "var" / "bench" / ("logins-long.json" if chosen.long else "logins.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(f"all figures: {target.relative_to(ROOT)}")
    if not results.get("holds", True):
        sys.exit(1)


if __name__ == "__main__":
    main()
