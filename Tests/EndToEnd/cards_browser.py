"""A headless Chromium with cards in its reader: soft certificates in an NSS database of its own."""

import fcntl
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from cryptography.x509.oid import NameOID

import cards
import contract
from browser import Browser

# Chromium reads policies from this folder alone. Without one it asks the person, and a headless one then hangs.
POLICY = Path("/etc/chromium/policies/managed/shirushi-tests.json")
# A card that a host is to get although it is another's: its certificate bears this name.
WRONG = "WRONGCARD00000000000F19"


def choose_by_policy(instance):
    """Lets Chromium choose, at each card host, a card by the name of its issuer, or one that is named `WRONG`.

    The file is the whole machine's: processes that write it at once take turns, and none takes a rule away.
    """
    rules = set()
    for kind, host in contract.CARD_HOSTS.items():
        filters = [{"SUBJECT": {"CN": WRONG}}]
        for holder in contract.HOLDERS:
            filters.append({"ISSUER": named(cards.development(instance, holder, kind).x509.issuer)})
        rules |= {json.dumps({"pattern": f"https://{host}", "filter": each}, sort_keys=True) for each in filters}
    with open(Path(tempfile.gettempdir()) / f"shirushi-chromium-policy.{os.getuid()}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        name = "AutoSelectCertificateForUrls"
        there = set(json.loads(POLICY.read_text())[name]) if POLICY.is_file() else set()
        if rules <= there:
            return
        try:
            POLICY.parent.mkdir(parents=True, exist_ok=True)
            beside = POLICY.with_suffix(".new")
            beside.write_text(json.dumps({name: sorted(rules | there)}, indent=1))
            beside.chmod(0o644)
            beside.rename(POLICY)
        except PermissionError:
            pytest.fail(f"{POLICY} is not ours to write: sudo install -d -o $USER {POLICY.parent}", pytrace=False)


def named(issuer):
    """What a policy's filter can say of an issuer's name."""
    for attribute, oid in (("CN", NameOID.COMMON_NAME), ("O", NameOID.ORGANIZATION_NAME)):
        if found := issuer.get_attributes_for_oid(oid):
            return {attribute: found[0].value}
    raise AssertionError(f"{issuer.rfc4514_string()} has neither CN nor O")


class CardBrowser(Browser):
    """A Chromium that trusts the instance's authority and holds these cards."""

    def __init__(self, instance, *held, **arguments):
        self.instance, self.held = instance, held
        choose_by_policy(instance)
        super().__init__(instance.home / "development" / "tls" / "server.pem", **arguments)

    def furnish(self):
        database = self.profile / ".pki" / "nssdb"
        database.mkdir(parents=True)
        place = f"sql:{database}"
        self.run("certutil", "-N", "-d", place, "--empty-password")
        ca = contract.server_ca(self.instance.home)
        self.run("certutil", "-A", "-d", place, "-n", "tls", "-t", "C,,", "-i", ca)
        for number, card in enumerate(self.held):
            file = card.pkcs12(self.profile / f"card-{number}.p12")
            self.run("pk12util", "-i", file, "-d", place, "-K", "", "-W", cards.PASSWORD)

    @staticmethod
    def run(*command):
        run = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, f"{command}: {run.stdout} {run.stderr}"

    def language(self, language):
        self.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})

    @property
    def address(self):
        return self.eval("location.href")

    def click(self, script):
        """Clicks what the script finds, and waits for the page that follows."""
        self.act(f"({script}).click()")
