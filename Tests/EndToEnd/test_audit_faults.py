"""When the audit cannot be written nothing is signed, and signing comes back when it can be written again."""

import os
import shutil
import subprocess
import time

import pytest
import requests

import audit
import contract
import documents


@pytest.fixture
def small_disk(tmp_path, root):
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", place], capture_output=True)
    assert mounted.returncode == 0, f"a file system of its own is part of this test: {mounted.stderr.decode()}"
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def try_to_sign(instance):
    """One request; gives the answer, or None where the connection was lost."""
    session = instance.session()
    try:
        return instance.prescribe(documents.prescribing(), session=session, timeout=20)
    except requests.RequestException:
        return None
    finally:
        session.close()


def end(tracer):
    """Ends strace outright: asked kindly, it waits for ever for a process that is ending at that moment."""
    tracer.kill()
    tracer.wait()


def signed_of(answer):
    document = documents.document_of(answer)
    return answer.json()["signatureId"], contract.digest_to_sign(document, "PrescriptionSign")


def recovered(instance, seconds=60):
    """Waits until signing works again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = try_to_sign(instance)
        if answer is not None and answer.status_code == 200:
            return signed_of(answer)
        time.sleep(0.3)
    raise AssertionError(f"signing did not come back:\n{instance.log_end()}")


def finish(instance, signed):
    assert instance.stop() == 0
    instance.start()
    assert instance.stop() == 0
    assert instance.audit_verifies()
    audit.examine(instance.home, signed, instance.signs())


def test_a_full_disk(make_instance, small_disk, tmp_path):
    # The service's own log and the shim's are beside the home, so only the home is full.
    instance = make_instance(place=small_disk)
    instance.log, shim = tmp_path / "serve.log", tmp_path / "shim"
    shim.mkdir()
    instance.shim = shim
    instance.environment["SHIM_DIR"] = str(shim)
    instance.start()
    signed = [signed_of(try_to_sign(instance))]
    doctor = instance.token("doctor-1")
    ballast = small_disk / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    # What the database had reserved is used up first; then every request must be refused.
    refused, deadline = 0, time.monotonic() + 60
    while refused < 5 and time.monotonic() < deadline:
        try:
            answer = instance.prescribe(documents.prescribing(), token=doctor, session=instance.session(), timeout=20)
        except requests.RequestException:
            continue
        if answer.status_code == 200:
            signed.append(signed_of(answer))
            refused = 0
        else:
            assert answer.status_code == 503, answer.text
            assert contract.kind_of(answer.json()) in ("audit-unavailable", "core-unavailable"), answer.text
            refused += 1
    assert refused == 5
    deadline = time.monotonic() + 3
    while instance.get("/health/ready", session=instance.session()).status_code != 503:
        assert time.monotonic() < deadline, "still ready without an audit"
        time.sleep(0.1)
    assert instance.get("/health/live", session=instance.session()).status_code == 200
    ballast.unlink()
    signed.append(recovered(instance))
    finish(instance, signed)


@pytest.mark.parametrize("call", ["fdatasync,fsync", "pwrite64"])
def test_an_input_output_error(fresh, root, call):
    fresh.start()
    signed = [signed_of(try_to_sign(fresh))]
    core = fresh.pid("core")
    # Writes to sockets and pipes are the same calls as writes to files: only the home's files are to fail.
    data = fresh.home / "data"
    paths = [word for path in sorted(data.iterdir()) for word in ("-P", str(path))]
    tracer = subprocess.Popen(
        [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-p",
            str(core),
            *paths,
            "-e",
            f"trace={call}",
            "-e",
            f"inject={call}:error=EIO",
        ],
        stderr=subprocess.PIPE,
    )
    try:
        time.sleep(1)
        assert tracer.poll() is None, tracer.stderr.read()
        uses = len(fresh.signs())
        answer = try_to_sign(fresh)
        assert answer is not None and answer.status_code == 503, answer and answer.text
        assert contract.kind_of(answer.json()) in ("audit-unavailable", "core-unavailable")
        assert len(fresh.signs()) == uses, "a key was used though the intent was not durable"
    finally:
        end(tracer)
    signed.append(recovered(fresh))
    finish(fresh, signed)


def test_the_outcome_cannot_be_written(fresh, root):
    """The disk fails between intent and outcome: the key was used, and still nobody gets the signature."""
    fresh.start()
    signed = [signed_of(try_to_sign(fresh))]
    core = fresh.pid("core")
    (fresh.shim / "sign-latency-ms").write_text("2500")
    paths = [word for path in sorted((fresh.home / "data").iterdir()) for word in ("-P", str(path))]
    from threading import Thread

    answers = []
    request = Thread(target=lambda: answers.append(try_to_sign(fresh)))
    request.start()
    deadline = time.monotonic() + 5
    while len(fresh.signs()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    tracer = subprocess.Popen(
        [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-p",
            str(core),
            *paths,
            "-e",
            "trace=fdatasync,fsync,pwrite64",
            "-e",
            "inject=fdatasync,fsync,pwrite64:error=EIO",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        request.join(40)
    finally:
        end(tracer)
        (fresh.shim / "sign-latency-ms").unlink()
    assert len(fresh.signs()) == 2, "the key was used"
    assert answers[0] is None or answers[0].status_code == 503, answers[0].text
    signed.append(recovered(fresh))
    finish(fresh, signed)
    unknown = [each for each in audit.entries(fresh.home) if each.is_outcome and each.code == audit.UNKNOWN]
    assert len(unknown) == 1


@pytest.mark.parametrize("damage", ["leaf", "detail", "row", "head", "old"])
def test_a_changed_log_is_noticed(fresh, damage):
    import shutil
    import sqlite3

    fresh.start()
    fresh.prescribe(documents.prescribing())
    fresh.stop()
    copy = fresh.home.parent / "copy"
    shutil.copytree(fresh.home / "data", copy)
    fresh.start()
    fresh.prescribe(documents.prescribing())
    fresh.stop()
    assert fresh.audit_verifies()
    database = contract.database(fresh.home)
    if damage == "old":
        # Yesterday's database under today's head.
        for path in copy.iterdir():
            if path.name.startswith(database.name):
                shutil.copy(path, database.parent / path.name)
    elif damage == "head":
        head = bytearray(contract.audit_head(fresh.home).read_bytes())
        for slot in (0, 4096):
            head[slot + 30] ^= 1
        contract.audit_head(fresh.home).write_bytes(head)
    else:
        with sqlite3.connect(database) as connection:
            (sequence, leaf, detail) = connection.execute(
                "SELECT sequence, leaf, detail FROM audit_entry ORDER BY sequence DESC LIMIT 1 OFFSET 2"
            ).fetchone()
            changed = bytes(leaf[:-1]) + bytes([leaf[-1] ^ 1])
            if damage == "leaf":
                connection.execute("UPDATE audit_entry SET leaf = ? WHERE sequence = ?", (changed, sequence))
            elif damage == "detail":
                changed = detail[:-1] + bytes([detail[-1] ^ 1])
                connection.execute("UPDATE audit_entry SET detail = ? WHERE sequence = ?", (changed, sequence))
            else:
                connection.execute("DELETE FROM audit_entry WHERE sequence = ?", (sequence,))
        connection.close()
    assert not fresh.audit_verifies()
    assert os.path.exists(database)


def test_two_services_on_one_database_end_instead_of_forking_the_log(make_instance):
    """Two homes with one data folder, as two machines that mount it have: neither sees the other's lock."""
    first, second = make_instance("first"), make_instance("second")
    ports = [(str(first.port), str(second.port)), (str(first.ra_port), str(second.ra_port))]
    ports += [(str(first.metrics_port), str(second.metrics_port))]
    ports += [(str(first.hpki_port), str(second.hpki_port)), (str(first.jpki_port), str(second.jpki_port))]
    ports += [(str(first.timestamps_port), str(second.timestamps_port))]
    shutil.rmtree(second.home)
    shutil.copytree(first.home, second.home, symlinks=True)
    shutil.rmtree(second.home / "data")
    (second.home / "data").symlink_to(first.home / "data")
    text = contract.configuration(second.home).read_text()
    for old, new in ports:
        text = text.replace(old, new)
    contract.configuration(second.home).write_text(text)
    first.start()
    signed = [signed_of(try_to_sign(first))]
    second.start()
    signed.append(signed_of(try_to_sign(second)))
    # The first's log is no longer the newest: its core ends instead of signing, and goes on from the other's records.
    lost = try_to_sign(first)
    assert lost is None or lost.status_code == 503, lost.text
    signed.append(recovered(first))
    assert "another process has written: it has " in first.log.read_text(errors="replace")
    lost = try_to_sign(second)
    assert lost is None or lost.status_code == 503, lost.text
    second.kill()
    assert first.stop() == 0
    first.start()
    assert first.stop() == 0
    assert first.audit_verifies()
    audit.examine(first.home, signed, first.signs() + second.signs())
