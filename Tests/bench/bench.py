"""Signatures per second, latency and server CPU of the whole path, beside raw C_Sign and `openssl speed`.

The whole path is TLS, token, policy, intent, key, XAdES, own verification and outcome. All is measured in one run on
one machine, so the ratios mean more than the figures. Writes var/bench/result.json and prints a table.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

import contract  # noqa: E402
import documents  # noqa: E402
from instance import Instance  # noqa: E402

SECONDS = int(os.environ.get("SHIRUSHI_BENCH_SECONDS", "6"))
CONNECTIONS = 16
KEY_TYPES = ("rsa-2048", "rsa-3072", "p-256")
OPENSSL = {"rsa-2048": "rsa2048", "rsa-3072": "rsa3072", "p-256": "ecdsap256"}
GOAL = 1.25
TICKS = os.sysconf("SC_CLK_TCK")


def run(*command, **arguments):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, **arguments).stdout


def pinned(cores):
    """The prefix that holds a command on the first `cores` cores."""
    return ["taskset", "-c", "0" if cores == 1 else f"0-{cores - 1}"]


def raw(folder, program, key_type, cores):
    """Raw C_Sign with a held handle, a thread a core, on a token of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as tokens:
        settings = Path(tokens) / "softhsm2.conf"
        settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        found = json.loads(
            run(
                *pinned(cores),
                program,
                contract.SOFTHSM,
                key_type,
                cores,
                SECONDS,
                env={**os.environ, "SOFTHSM2_CONF": str(settings)},
            )
        )
    return {
        "perSecond": found["signatures"] / found["wall"],
        "cpuMicroseconds": found["cpu"] / found["signatures"] * 1e6,
    }


def openssl(key_type, cores):
    """Signatures per second by `openssl speed`."""
    many = ["-multi", cores] if cores > 1 else []
    text = run(*pinned(cores), "openssl", "speed", "-seconds", 3, *many, OPENSSL[key_type])
    line = [line for line in text.splitlines() if re.match(r"\s*(rsa|\d+ bits ecdsa)", line)][-1]
    return {"perSecond": float(line.split()[-2])}


def processor():
    """What the machine says that it computes with."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "?")


def processor_seconds(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def whole(folder, key_type):
    """The service under load from another process, on one core and on two."""
    instance = Instance(
        folder / f"home-{key_type}", options=[] if key_type == KEY_TYPES[0] else ["--key-type", key_type]
    )
    bodies = folder / "bodies"
    bodies.write_text("".join(json.dumps(documents.prescribing()) + "\n" for _ in range(512)))
    instance.configure(lambda settings: settings.setdefault("limits", {}).update(perClientRate=0))
    results = {}
    try:
        for cores in (1, 2):
            started = time.monotonic()
            instance.start()
            ready = time.monotonic() - started
            pids = [instance.process.pid, instance.pid("core"), instance.pid("front")]
            for pid in pids:
                run("taskset", "-a", "-c", "-p", "0" if cores == 1 else "0,1", pid)
            load = [
                *(["taskset", "-c", "1"] if cores == 1 and os.cpu_count() > 1 else []),
                "wrk",
                "-t1",
                f"-c{CONNECTIONS}",
                "-s",
                HERE / "prescriptions.lua",
                "--timeout",
                "10s",
            ]
            environment = {**os.environ, "BODIES": str(bodies), "TOKEN": instance.token("doctor-1")}
            run(*load, "-d2s", instance.url, env=environment)
            before = processor_seconds(pids)
            text = run(*load, f"-d{SECONDS}s", instance.url, env=environment)
            used = processor_seconds(pids) - before
            found = json.loads(re.search(r"^JSON (.*)$", text, re.M)[1])
            assert found["failed"] == 0, f"{found['failed']} requests failed"
            results[cores] = {
                "perSecond": found["answers"] / found["seconds"],
                "cpuMicroseconds": used / found["answers"] * 1e6,
                **{name: found[name] for name in ("p50", "p95", "p99", "max")},
                "memoryMB": instance.memory(),
                "readySeconds": ready,
            }
            assert instance.stop() == 0
    finally:
        instance.kill()
    return results


def main():
    results = {"processor": processor(), "keys": {}}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        program = folder / "csign"
        run("cc", "-O2", "-I/usr/include/p11-kit-1", "-o", program, HERE / "csign.c", "-ldl", "-lpthread")
        print(
            f"{'key':9} {'cores':>5} {'sign/s':>8} {'p50 ms':>7} {'p95':>7} {'p99':>7} {'CPU µs':>8} {'raw CPU':>8}"
            f" {'ratio':>6} {'raw/s':>8} {'openssl/s':>9} {'MB':>5} {'ready s':>7}"
        )
        for key_type in KEY_TYPES:
            try:
                served = whole(folder, key_type)
            except AssertionError as error:
                if key_type == KEY_TYPES[0]:
                    raise
                print(f"{key_type:9} the whole path was not measured: {str(error).splitlines()[0]}", flush=True)
                results["keys"][key_type] = {"notMeasured": str(error)}
                continue
            for cores in (1, 2):
                row = {
                    "whole": served[cores],
                    "raw": raw(folder, program, key_type, cores),
                    "openssl": openssl(key_type, cores),
                }
                row["ratios"] = {
                    "cpuToRaw": row["whole"]["cpuMicroseconds"] / row["raw"]["cpuMicroseconds"],
                    "rateToRaw": row["whole"]["perSecond"] / row["raw"]["perSecond"],
                    "rateToOpenssl": row["whole"]["perSecond"] / row["openssl"]["perSecond"],
                }
                results["keys"].setdefault(key_type, {})[str(cores)] = row
                one = row["whole"]
                print(
                    f"{key_type:9} {cores:5} {one['perSecond']:8.0f} {one['p50']:7.1f} {one['p95']:7.1f}"
                    f" {one['p99']:7.1f} {one['cpuMicroseconds']:8.0f} {row['raw']['cpuMicroseconds']:8.0f}"
                    f" {row['ratios']['cpuToRaw']:6.2f} {row['raw']['perSecond']:8.0f}"
                    f" {row['openssl']['perSecond']:9.0f} {one['memoryMB']:5.0f} {one['readySeconds']:7.2f}",
                    flush=True,
                )
    first = results["keys"]["rsa-2048"]["1"]
    print(
        f"goal: CPU at most {GOAL} times raw C_Sign with RSA-2048 on one core: {first['ratios']['cpuToRaw']:.2f}, "
        + ("reached" if first["ratios"]["cpuToRaw"] <= GOAL else "not reached")
    )
    target = ROOT / "var" / "bench" / "result.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(f"all figures and ratios: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
