"""An authority at its door: what it asks for, and a development authority's certificates, for a holder's life."""

import base64
import json
import subprocess
from urllib.parse import quote

from instance import problem, shirushi

ROMAJI, JAPANESE, ROLE = "Hanako Shiken", "試験　花子", "Medical Doctor"


class Authority:
    """A client of `/ra/v1` with one authority's certificate."""

    def __init__(self, instance, name, folder):
        self.instance, self.name, self.folder = instance, name, folder
        self.client = instance.authority(name)

    def ask(self, method, path, body=None, timeout=60, **arguments):
        return self.client.request(
            method, f"{self.instance.ra_url}/ra/v1/{path}", json=body, timeout=timeout, **arguments
        )

    def done(self, method, path, body=None, **arguments):
        answer = self.ask(method, path, body, **arguments)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def refused(self, kind, method, path, body=None, **words):
        return problem(self.ask(method, path, body), kind, **words)

    # A holder's life.

    def register(self, holder, romaji=ROMAJI, roles=(ROLE,)):
        return self.done(
            "PUT",
            f"holders/{quote(holder, safe='')}",
            {
                "romajiName": romaji,
                "japaneseName": JAPANESE,
                "roles": list(roles),
                "registerNumbers": [{"register": "医籍", "number": "654321"}],
            },
        )

    def order(self, credential, holder, key_type=None, replaces=None):
        body = {"holder": holder, **({"keyType": key_type} if key_type else {})}
        return self.done("PUT", f"credentials/{credential}", {**body, **({"replaces": replaces} if replaces else {})})

    def credential(self, credential):
        return self.done("GET", f"credentials/{credential}")

    def state(self, credential):
        return self.credential(credential)["state"]

    def request_of(self, credential):
        """The PKCS#10 in DER."""
        answer = self.ask("GET", f"credentials/{credential}/request", headers={"Accept": "application/pkcs10"})
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/pkcs10", answer.text
        assert answer.content == base64.b64decode(self.done("GET", f"credentials/{credential}/request")["request"])
        return answer.content

    def certify(self, credential, holder, romaji=ROMAJI, roles=(ROLE,), check=True):
        """The certificate in DER, by the development authority of this name, for the request of the credential."""
        request, out = self.folder / f"{credential}.csr", self.folder / f"{credential}.cer"
        request.write_bytes(self.request_of(credential))
        if check:
            checked = openssl("req", "-inform", "der", "-in", request, "-verify", "-noout", "-text")
            assert f"serialNumber = {holder}" in checked, checked
        shirushi(
            "dev-ca", "issue", "--home", self.instance.home, "--authority", self.name, "--request", request,
            "--holder", holder, "--romaji-name", romaji, "--japanese-name", JAPANESE,
            *(word for role in roles for word in ("--role", role)), "--out", out,
        )  # fmt: skip
        return out.read_bytes()

    def deliver(self, credential, certificate, **more):
        return self.done("POST", f"credentials/{credential}/certificate", delivery(certificate, **more))

    def admit(self, credential, holder, key_type=None, replaces=None):
        """A holder's key, ordered, certified and in effect; gives its certificate."""
        self.order(credential, holder, key_type, replaces)
        certificate = self.certify(credential, holder, check=False)
        assert self.deliver(credential, certificate)["state"] == "active"
        return certificate

    def act(self, credential, act, body=None):
        return self.done("POST", f"credentials/{credential}/{act}", body or {})

    def deliver_list(self):
        """The authority's newest revocation list, published anew and taken in."""
        shirushi("dev-ca", "crl", "--home", self.instance.home)
        content = (self.instance.home / "trust" / "crls" / f"development-{self.name}.crl").read_bytes()
        return self.done("POST", "revocation-lists", {"list": base64.b64encode(content).decode()})


def delivery(certificate, **more):
    return {"certificate": base64.b64encode(certificate).decode(), **more}


def openssl(*arguments):
    run = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, f"openssl {arguments}: {run.stderr}"
    return run.stdout


def story(instance, holder):
    """The notes of the log about this holder in order, as `shirushi audit list --json` tells them."""
    told = []
    for line in shirushi("audit", "list", "--home", instance.home, "--json").stdout.splitlines():
        entry = json.loads(line)
        if entry.get("holder") == holder and "note" in entry:
            told.append(entry)
    return told


def holds(instance):
    """Asserts that the log verifies and that token, registry and log agree; the instance serves."""
    assert shirushi("audit", "verify", "--home", instance.home).returncode == 0
    audited = shirushi("keys", "audit", "--home", instance.home, check=False)
    assert audited.returncode == 0, audited.stdout
    return audited.stdout
