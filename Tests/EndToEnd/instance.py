"""An instance of the real binary: made, configured, served, asked, killed."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import requests
import yaml

import audit
import contract


def free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def shirushi(*arguments, check=True, timeout=120, environment=None):
    """Runs the binary to its end."""
    run = subprocess.run(
        [str(contract.BINARY), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    assert not check or run.returncode == 0, f"shirushi {arguments}: {run.returncode}\n{run.stdout}\n{run.stderr}"
    return run


class Instance:
    """One home folder, and the processes that serve it."""

    def __init__(self, home, shim=None, options=()):
        self.home = Path(home)
        self.process = None
        self.log = self.home.parent / f"{self.home.name}.log"
        self.shim = self.home.parent / f"{self.home.name}-shim"
        self.environment = {}
        if shim:
            self.shim.mkdir(exist_ok=True)
            self.environment = {"SHIM_MODULE": contract.SOFTHSM, "SHIM_DIR": str(self.shim)}
        shirushi("init", "--home", self.home, "--development", *options)
        self.port, self.metrics_port, self.ra_port, self.timestamps_port, self.hpki_port, self.jpki_port = free_ports(6)
        ports = {"main": self.port, "ra": self.ra_port, "hpki": self.hpki_port, "jpki": self.jpki_port}

        def settle(settings):
            moved = {}
            for listener in settings["listeners"]:
                old, listener["port"] = listener["port"], ports.get(listener["name"], listener["port"])
                moved[f":{old}"] = f":{listener['port']}"
            settings["metrics"]["port"] = self.metrics_port
            settings["development"]["port"] = self.timestamps_port
            settings["timestamps"]["authorities"][0]["url"] = self.timestamps_url
            for key, value in settings.items():
                # The issuer of `shirushi token` is a name that nothing is fetched from.
                if key == "issuers":
                    settings[key] = [each if each.get("development") else readdressed(each, moved) for each in value]
                else:
                    settings[key] = readdressed(value, moved)
            if shim:
                settings["hsm"]["module"] = str(shim)
                settings["hsm"]["acceptSoftwareToken"] = True

        self.configure(settle)
        self._tokens = {}
        self._session = None

    # Configuration.

    def settings(self):
        return yaml.safe_load(contract.configuration(self.home).read_text())

    def configure(self, change):
        """Lets `change` alter the configuration file's content; takes effect at the next start."""
        settings = self.settings()
        change(settings)
        contract.configuration(self.home).write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))

    # Processes.

    def start(self, ready=True, **environment):
        assert self.process is None
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(contract.BINARY), "serve", "--home", str(self.home)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment, **environment},
            )
        self._session = None
        if ready:
            self.await_ready()
        return self

    def await_ready(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"serve ended with {self.process.returncode}:\n{self.log_end()}"
            try:
                if self.get("/health/ready", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                self._session = None
            time.sleep(0.05)
        raise AssertionError(f"not ready after {seconds} s:\n{self.log_end()}")

    def log_end(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-25:]) if self.log.exists() else ""

    def stop(self, seconds=30):
        """Asks the service to drain and end, and gives its exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            self.kill()

    def kill(self):
        """Ends every process of the service at once."""
        if self.process is None:
            return
        processes = [self.process.pid, *self.children()]
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None

    def children(self):
        """Process ids of the service's direct children."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if int(fields[1]) == self.process.pid and fields[0] != "Z":
                    found.append(int(entry.name))
        return found

    def pid(self, part, seconds=10):
        """The process id of `core` or `front`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for pid in self.children():
                try:
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if part.encode() in words[1:]:
                    return pid
            time.sleep(0.01)
        raise AssertionError(f"no {part} among the children of serve")

    def memory(self):
        """Resident memory of core and front together, in MB."""
        statuses = [Path(f"/proc/{self.pid(part)}/status").read_text() for part in ("core", "front")]
        return sum(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) for status in statuses) / 1024

    # Requests.

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    @property
    def audience(self):
        """The signing service, as tokens of the platform name it."""
        platform = self.settings()["platform"]
        return platform.get("audience", platform["issuer"])

    @property
    def timestamps_url(self):
        return f"http://127.0.0.1:{self.timestamps_port}/timestamps"

    def session(self):
        """A client of its own, with its own connections."""
        session = requests.Session()
        session.verify = str(contract.server_ca(self.home))
        session.trust_env = False
        return session

    @property
    def ra_url(self):
        return f"https://localhost:{self.ra_port}"

    def authority(self, name):
        """A client of the registration authorities' door, with that authority's certificate."""
        session = self.session()
        session.cert = tuple(map(str, contract.authority_certificate(self.home, name)))
        return session

    def get(self, path, token=None, timeout=30, **arguments):
        return self.request("GET", path, token=token, timeout=timeout, **arguments)

    def post(self, path, body=None, token=None, key=None, timeout=30, headers=None, **arguments):
        headers = {**({"Idempotency-Key": key} if key else {}), **(headers or {})}
        if body is not None:
            arguments["data"] = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        return self.request("POST", path, token=token, timeout=timeout, headers=headers, **arguments)

    def request(self, method, path, token=None, session=None, headers=None, **arguments):
        if session is None:
            self._session = session = self._session or self.session()
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        return session.request(method, self.url + path, headers=headers, **arguments)

    def raw(self, content, seconds=15):
        """Sends bytes over TLS and reads until the server closes, falls silent or `seconds` are over."""
        context = ssl.create_default_context(cafile=contract.server_ca(self.home))
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                try:
                    secure.sendall(content)
                except OSError:
                    pass
                secure.settimeout(seconds)
                try:
                    while b"\r\n\r\n" not in received or not complete(received):
                        part = secure.recv(65536)
                        if not part:
                            break
                        received += part
                except OSError:
                    pass
        return received

    def prescribe(self, body, holder="doctor-1", **arguments):
        return self.post("/v1/prescriptions", body, arguments.pop("token", None) or self.token(holder), **arguments)

    def dispense(self, body, holder="pharmacist-1", **arguments):
        return self.post("/v1/dispensings", body, arguments.pop("token", None) or self.token(holder), **arguments)

    # Commands.

    def token(self, holder, *options):
        """A token by the command line; plain ones are kept for a minute."""
        made, token = self._tokens.get((holder, options), (0, None))
        if time.monotonic() - made > 60 or token is None:
            token = shirushi("token", "--home", self.home, "--holder", holder, *options).stdout.strip()
            self._tokens[holder, options] = (time.monotonic(), token)
        return token

    def card_login(self, holder, kind="hpki", **parameters):
        """Tokens by a real login with the holder's card, in the strict profile: a `strict_client.Tokens`."""
        import strict_client

        return strict_client.login(self, holder, kind, **parameters)

    def audit_verifies(self):
        run = shirushi("audit", "verify", "--home", self.home, check=False, environment=self.environment)
        return run.returncode == 0

    # What the token and the audit say.

    def signs(self):
        return contract.signed_digests(self.shim)

    def records(self):
        return audit.entries(self.home)


def readdressed(value, moved):
    """The settings with the ports of every https address moved."""
    if isinstance(value, dict):
        return {key: readdressed(each, moved) for key, each in value.items()}
    if isinstance(value, list):
        return [readdressed(each, moved) for each in value]
    if isinstance(value, str) and value.startswith("https://"):
        return re.sub(r":\d+\b", lambda found: moved.get(found[0], found[0]), value, count=1)
    return value


def complete(response):
    """Whether an HTTP response with a declared length has come whole."""
    head, _, body = response.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return False


def problem(response, kind, **words):
    """Asserts that `response` is the problem of that kind, whole, and gives its body."""
    assert response.headers.get("Content-Type", "").split(";")[0] == "application/problem+json", response.text
    body = response.json()
    assert contract.kind_of(body) == kind, body
    assert response.status_code == body["status"] == contract.STATUS[kind], body
    assert body["title"] and body["detail"] and body["next"], body
    assert body["requestId"] and body["requestId"] == response.headers["X-Request-Id"]
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"].startswith(("Bearer", "DPoP")), response.headers
    if response.status_code in (429, 503):
        assert int(response.headers["Retry-After"]) >= 0
    for name, value in words.items():
        assert body.get(name) == value, body
    return body
