"""An instance: made once, private, checked, listening as configured, drained when asked."""

import os
import re
import socket
import ssl
import stat
import threading
import time
from pathlib import Path

import pytest

import contract
import documents
from instance import problem, shirushi


def snapshot(home):
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in home.rglob("*") if path.is_file()}


class TestInit:
    def test_twice_destroys_nothing_and_says_so(self, fresh):
        before = snapshot(fresh.home)
        run = shirushi("init", "--home", fresh.home, "--development")
        assert "already" in (run.stdout + run.stderr).lower()
        assert snapshot(fresh.home) == before

    def test_everything_is_private(self, fresh):
        fresh.start()
        fresh.prescribe(documents.prescribing())
        for path in [fresh.home, *fresh.home.rglob("*")]:
            mode = stat.S_IMODE(path.lstat().st_mode)
            if path.is_dir():
                assert mode == 0o700, (path, oct(mode))
            elif path.is_file() and (
                "key" in path.name or "pin" in path.name.lower() or path.suffix in (".sqlite", ".secret")
            ):
                assert mode == 0o600, (path, oct(mode))

    def test_makes_what_it_promises(self, fresh):
        for folder in ("anchors", "intermediates", "crls"):
            assert any((fresh.home / "trust" / folder).iterdir()), folder
        assert len(list((fresh.home / "trust" / "intermediates").glob("*.pem"))) == 3
        assert contract.configuration(fresh.home).is_file() and contract.database(fresh.home).is_file()

    def test_without_development_there_are_no_development_secrets(self, tmp_path):
        shirushi("init", "--home", tmp_path / "plain")
        assert not (tmp_path / "plain" / "development").exists()
        run = shirushi("serve", "--home", tmp_path / "plain", "--check", check=False)
        for name in ("origin", "publicOrigin", "hostNames", "hsm.module", "hsm.token", "hsm.pinFile", "jwks", "trust"):
            assert run.returncode == 78 and name in run.stderr, run.stderr
        run = shirushi("token", "--home", tmp_path / "plain", "--holder", "doctor-1", check=False)
        assert run.returncode != 0 and run.stdout == ""

    def test_in_a_folder_with_something_else_is_refused(self, tmp_path):
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "letter.txt").write_text("mine")
        assert shirushi("init", "--home", tmp_path / "home", "--development", check=False).returncode != 0
        assert os.listdir(tmp_path / "home") == ["letter.txt"]


class TestCheck:
    def check(self, fresh):
        return shirushi("serve", "--home", fresh.home, "--check", check=False, environment=fresh.environment)

    def test_prints_the_configuration_without_secrets(self, fresh):
        run = self.check(fresh)
        assert run.returncode == 0, run.stdout + run.stderr
        assert str(fresh.port) in run.stdout
        pins = [path.read_text().strip() for path in fresh.home.rglob("*pin*") if path.is_file()]
        assert pins and not any(pin in run.stdout + run.stderr for pin in pins)

    def test_what_others_may_write_to_is_refused_at_once(self, fresh):
        exposed = [fresh.home / "run", fresh.home / "trust" / "anchors", contract.configuration(fresh.home)]
        for path in exposed:
            path.chmod(path.stat().st_mode | 0o020)
        run = self.check(fresh)
        assert run.returncode == 78, run.stdout + run.stderr
        for path in exposed:
            assert f"chmod go-w {path}" in run.stderr, run.stderr

    def test_audit_verify_names_the_damaged_file(self, fresh):
        (fresh.home / "data" / "audit.head").unlink()
        run = shirushi("audit", "verify", "--home", fresh.home, check=False)
        assert run.returncode == 1 and "audit.head does not exist" in run.stderr, run.stderr
        contract.database(fresh.home).write_bytes(b"no database" * 1000)
        run = shirushi("audit", "verify", "--home", fresh.home, check=False)
        assert run.returncode == 1 and "is damaged" in run.stderr and "backup" in run.stderr, run.stderr

    def test_names_all_faults_at_once(self, fresh):
        def spoil(settings):
            settings["listeners"][0]["port"] = 99999
            settings["metrics"]["port"] = -1
            settings["hsm"]["module"] = "/nonexistent/module.so"
            settings["noSuchKey"] = 1

        fresh.configure(spoil)
        run = self.check(fresh)
        assert run.returncode != 0
        for name in ("port", "metrics", "module", "noSuchKey"):
            assert name in run.stdout + run.stderr, run.stdout + run.stderr

    def test_production_refuses_everything_of_development(self, fresh):
        def switch(settings):
            settings["kind"] = "production"
            settings["hsm"]["module"] = contract.SOFTHSM
            settings["hsm"].pop("acceptSoftwareToken", None)

        fresh.configure(switch)
        # Not by its file's name is an anchor known.
        anchors = fresh.home / "trust" / "anchors"
        (anchors / "dev-root.pem").rename(anchors / "root.pem")
        run = self.check(fresh)
        text = (run.stdout + run.stderr).lower()
        assert run.returncode != 0
        for word in ("development anchor", "development issuer", "software token"):
            assert word in text, text

    @pytest.mark.parametrize(
        "path", ["secrets/hsm.pin", "development/tls/server.key", "trust/anchors/dev-root.pem", "data/core.sqlite"]
    )
    def test_a_missing_file_is_a_fault(self, fresh, path):
        (fresh.home / path).unlink()
        run = self.check(fresh)
        assert run.returncode == 78 and path.split("/")[0] in run.stderr, run.stdout + run.stderr

    def test_a_software_token_behind_another_module_is_refused_too(self, fresh):
        """The module's path does not tell that SoftHSM is behind it; the token does."""
        fresh.configure(lambda settings: settings["hsm"].pop("acceptSoftwareToken"))
        fresh.start(ready=False)
        deadline = time.monotonic() + 10
        while "software token (SoftHSM" not in fresh.log_end():
            assert time.monotonic() < deadline, fresh.log_end()
            time.sleep(0.1)

    @pytest.mark.parametrize(
        "content", ["", "- a", "a: b: c", "listeners: 7", "\0", "a: &a [*a]", "x" * 10_000_000], ids=range(7)
    )
    def test_a_file_of_nonsense_is_a_fault(self, fresh, content):
        contract.configuration(fresh.home).write_text(content)
        run = self.check(fresh)
        assert run.returncode not in (0, 139, 134, 132) and run.returncode > 0 and run.stderr


class TestServe:
    def test_says_that_it_is_a_development_instance(self, instance):
        assert "development" in instance.log.read_text().lower()

    def test_two_on_one_home_are_refused(self, instance):
        run = shirushi("serve", "--home", instance.home, check=False, environment=instance.environment)
        assert run.returncode != 0 and instance.get("/health/ready").status_code == 200

    def test_is_ready_in_under_two_seconds(self, fresh):
        started = time.monotonic()
        fresh.start()
        assert time.monotonic() - started < 2

    def test_terminates_after_draining(self, fresh):
        fresh.start()
        (fresh.shim / "sign-latency-ms").write_text("1500")
        answers = []
        token = fresh.token("doctor-1")
        request = threading.Thread(
            target=lambda: answers.append(
                fresh.prescribe(documents.prescribing(), token=token, session=fresh.session())
            )
        )
        request.start()
        time.sleep(0.5)
        assert fresh.stop() == 0
        request.join(30)
        documents.document_of(answers[0])

    def test_logs_no_token_and_no_pin(self, fresh):
        fresh.start()
        token = fresh.token("doctor-1")
        fresh.prescribe(documents.prescribing(), token=token)
        fresh.prescribe(documents.prescribing(), token=token[:-8] + "AAAAAAAA")
        fresh.stop()
        log = fresh.log.read_text()
        for part in token.split("."):
            assert part not in log
        for path in fresh.home.rglob("*pin*"):
            if path.is_file():
                assert path.read_text().strip() not in log

    def test_every_answer_has_its_own_request_id_which_the_log_has_too(self, instance):
        ids = [
            instance.post("/v1/prescriptions", {}, instance.token("doctor-1")).headers["X-Request-Id"] for _ in range(3)
        ]
        assert len(set(ids)) == 3
        deadline = time.monotonic() + 5
        while not all(each in instance.log.read_text() for each in ids) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert all(each in instance.log.read_text() for each in ids)


class TestHealth:
    def test_live_and_ready(self, instance):
        for path in ("/health/live", "/health/ready"):
            answer = instance.get(path)
            assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/json")
        for part in ("core", "hsm", "audit", "clock"):
            assert part in instance.get("/health/ready").text.lower()

    def test_metrics_have_their_own_address(self, instance):
        problem(instance.get("/metrics", instance.token("doctor-1")), "not-found")
        problem(instance.post("/v1/prescriptions", documents.prescribing()), "missing-token")
        text = instance.session().get(f"http://127.0.0.1:{instance.metrics_port}/metrics", timeout=5).text
        assert re.search(r"^# TYPE \w+ counter$", text, re.M)
        assert re.search(r'^shirushi_refused_strangers_total\{reason="missing-token"\} [1-9]', text, re.M), text
        for holder in contract.HOLDERS:
            assert holder not in text


class TestTLS:
    def handshake(self, instance, lowest, highest):
        context = ssl.create_default_context(cafile=contract.server_ca(instance.home))
        context.minimum_version, context.maximum_version = lowest, highest
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with socket.create_connection(("127.0.0.1", instance.port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                return secure.version()

    @pytest.mark.parametrize(
        "version, name", [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]
    )
    def test_two_versions_are_spoken(self, instance, version, name):
        assert self.handshake(instance, version, version) == name

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_older_ones_are_not(self, instance):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            self.handshake(instance, ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)

    def test_plain_http_is_not_answered_as_such(self, instance):
        with socket.create_connection(("127.0.0.1", instance.port), 5) as plain:
            plain.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            plain.settimeout(5)
            try:
                assert b"200" not in plain.recv(100)
            except OSError:
                pass


class TestProcesses:
    def sockets(self, pid):
        """Inodes of the sockets that a process holds."""
        found = set()
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if inode := re.match(r"socket:\[(\d+)\]", os.readlink(link)):
                    found.add(inode[1])
            except OSError:
                pass
        return found

    def test_core_listens_on_no_network(self, instance, root):
        listening = set()
        for table in ("tcp", "tcp6", "udp", "udp6"):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" or table.startswith("udp"):
                    listening.add(fields[9])
        assert not self.sockets(instance.pid("core")) & listening
        assert self.sockets(instance.pid("front")) & listening

    def test_core_leaves_no_dump(self, instance, root):
        limits = Path(f"/proc/{instance.pid('core')}/limits").read_text()
        assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.M), limits

    def test_front_has_no_way_to_the_keys(self, instance, root):
        front, core = instance.pid("front"), instance.pid("core")
        maps = Path(f"/proc/{front}/maps").read_text()
        assert "softhsm" not in maps and "libshim" not in maps
        assert "libshim" in Path(f"/proc/{core}/maps").read_text()
        for link in Path(f"/proc/{front}/fd").iterdir():
            target = os.readlink(link)
            if target.startswith(str(instance.home)) and ".sqlite" in target:
                flags = re.search(r"flags:\s+(\d+)", Path(f"/proc/{front}/fdinfo/{link.name}").read_text())[1]
                # The shared memory of the journal is the one file that SQLite's readers write.
                assert int(flags, 8) & 0o3 == 0 or target.endswith("-shm"), target
        environment = Path(f"/proc/{front}/environ").read_bytes().lower()
        for path in instance.home.rglob("*pin*"):
            if path.is_file():
                assert path.read_bytes().strip() not in environment


class TestAudit:
    def test_lists_and_verifies_while_serving_and_at_rest(self, fresh):
        fresh.start()
        signature = fresh.prescribe(documents.prescribing()).json()["signatureId"]
        for _ in range(2):
            listing = shirushi("audit", "list", "--home", fresh.home, "--json", environment=fresh.environment)
            assert signature in listing.stdout and len(listing.stdout.splitlines()) >= 2
            assert fresh.audit_verifies()
            fresh.stop()

    def test_of_no_instance_is_an_error(self, tmp_path):
        run = shirushi("audit", "verify", "--home", tmp_path, check=False)
        assert run.returncode != 0 and run.stderr


def test_the_policies_have_tests_that_pass():
    assert shirushi("policy", "test", contract.ROOT / "policies").returncode == 0
