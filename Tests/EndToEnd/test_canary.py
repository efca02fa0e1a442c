"""A patient's name, signed a hundred times, is found nowhere afterwards."""

import base64
import os
import re
from pathlib import Path

import documents
from instance import problem, shirushi

PATIENT = "カナリア鳥乃助"


def shapes(text):
    """The text as bytes, and as base64 holds it at each of the three alignments."""
    plain = text.encode()
    found = [plain, plain.hex().encode(), text.encode("utf-16-le")]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        # The first and last groups mix with what stands beside the text.
        found.append(encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4])
    return found


def test_the_search_finds_what_is_there():
    csv = documents.prescription_csv(PATIENT)
    for content in (csv, base64.b64encode(csv), base64.b64encode(b"x" + csv), base64.b64encode(b"xy" + csv)):
        assert any(shape in content for shape in shapes(PATIENT))


def readable_memory(pid):
    """What a process holds in memory, region by region."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r\S+)", line)
            if not found or "[v" in line:
                continue
            start, end = int(found[1], 16), int(found[2], 16)
            overlap, previous = 256, b""
            for place in range(start, end, 1 << 20):
                try:
                    memory.seek(place)
                    part = memory.read(min(1 << 20, end - place))
                except (OSError, ValueError):
                    break
                yield previous + part
                previous = part[-overlap:]


def test_a_patients_name_is_left_nowhere(fresh, root):
    fresh.start()
    shapes_sought = shapes(PATIENT)
    signed = []
    for number in range(100):
        body = documents.prescribing(documents.prescription_csv(PATIENT))
        answer = fresh.prescribe(body, key=f"canary-{number}")
        signed.append(documents.document_of(answer))
    prescription = documents.registered(signed[0])
    csv = documents.dispensing_csv(patient=PATIENT)
    documents.document_of(fresh.dispense(documents.dispensing(prescription, csv)))
    # Refusals speak of what they refuse; they must not quote it.
    broken = documents.prescription_csv(PATIENT).replace(b"SJ1", b"SJ9")
    problem(fresh.prescribe({"csv": documents.b64(broken)}), "invalid-csv")
    problem(fresh.prescribe({"document": documents.b64(f"<{PATIENT}/>".encode())}), "wrong-document")
    problem(fresh.prescribe(documents.prescribing(documents.prescription_csv(PATIENT)), "nurse-1"), "denied")

    core = fresh.pid("core")
    for part in readable_memory(core):
        for shape in shapes_sought:
            assert shape not in part, "the name is in core's memory"
    while_serving = search(fresh, shapes_sought)
    os.kill(fresh.pid("front"), 11)
    os.kill(core, 11)
    fresh.await_ready()
    fresh.stop()
    assert while_serving == [] and search(fresh, shapes_sought) == []


def search(instance, shapes_sought):
    """Files in and beside the home, logs and core dumps among them, that hold one of the shapes."""
    found = []
    dumps = [*Path.cwd().glob("core*"), *Path("/var/lib/systemd").glob("coredump")]
    places = [instance.home, instance.log, instance.shim, *dumps]
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file() and any(shape in path.read_bytes() for shape in shapes_sought):
                found.append(path)
    listing = shirushi("audit", "list", "--home", instance.home)
    if any(shape in listing.stdout.encode() for shape in shapes_sought):
        found.append("audit list")
    return found
