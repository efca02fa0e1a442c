"""`shirushi dev-ca`: the authorities' part for a development instance, judged by openssl."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from instance import shirushi

NAMES = ["--romaji-name", "Hanako Kaihatsu", "--japanese-name", "開発　花子"]


def openssl(*arguments):
    run = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, f"openssl {arguments}: {run.stderr}"
    return run.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("dev-ca") / "home"
    shirushi("init", "--home", home, "--development", "--key-type", "p-256")
    return home


@pytest.fixture
def request_file(tmp_path):
    key, request = tmp_path / "key.pem", tmp_path / "key.csr"
    openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", key)
    openssl("req", "-new", "-sha384", "-key", key, "-subj", "/C=JP/CN=Someone Else", "-out", request)
    return request


@pytest.fixture
def dev_ca(home):
    def run(act, *arguments, check=True):
        return shirushi("dev-ca", act, "--home", home, *arguments, check=check)

    return run


def text_of(certificate):
    return openssl("x509", "-inform", "der", "-in", certificate, "-noout", "-text")


def test_certifies_a_request_as_the_authority_knows_the_holder(dev_ca, request_file, tmp_path):
    out = tmp_path / "certificate.cer"
    roles = ["--role", "Medical Doctor", "--role", "Dentist"]
    dev_ca("issue", "--authority", "medis", "--request", request_file, "--holder", "d-2", *NAMES, *roles, "--out", out)
    text = text_of(out)
    for part in [
        "O = DEVELOPMENT MEDIS",
        "Subject: C = JP, CN = Hanako Kaihatsu, serialNumber = d-2",
        "ASN1 OID: secp384r1",
        "Medical Doctor",
        "Dentist",
        "Non Repudiation",
    ]:
        assert part in text, text


def test_refuses_a_request_that_another_key_signed(dev_ca, request_file, tmp_path):
    changed = tmp_path / "changed.csr"
    openssl("req", "-in", request_file, "-outform", "der", "-out", changed)
    content = bytearray(changed.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    out = tmp_path / "certificate.cer"
    run = dev_ca(
        "issue", "--authority", "jma", "--request", changed, "--holder", "d-2", *NAMES, "--out", out, check=False
    )
    assert run.returncode == 1 and "own signature does not verify" in run.stderr, run.stderr
    assert not out.exists()


def test_revokes_what_it_issued_once_and_publishes_the_list(dev_ca, home, request_file, tmp_path):
    out = tmp_path / "certificate.cer"
    dev_ca("issue", "--authority", "jpa", "--request", request_file, "--holder", "p-2", *NAMES, "--out", out)
    serial = openssl("x509", "-inform", "der", "-in", out, "-noout", "-serial").strip().removeprefix("serial=")
    revoke = ["--certificate", out, "--reason", "superseded"]
    assert dev_ca("revoke", "--authority", "jma", *revoke, check=False).returncode == 1
    dev_ca("revoke", "--authority", "jpa", *revoke)
    published = home / "trust" / "crls" / "development-jpa.crl"
    text = openssl("crl", "-inform", "der", "-in", published, "-noout", "-text")
    assert f"Serial Number: {serial}" in text and "Superseded" in text, text
    assert "revoked already" in dev_ca("revoke", "--authority", "jpa", *revoke, check=False).stderr
    number = openssl("crl", "-inform", "der", "-in", published, "-noout", "-crlnumber")
    dev_ca("crl")
    assert openssl("crl", "-inform", "der", "-in", published, "-noout", "-crlnumber") != number


def test_gives_no_serial_number_twice_to_six_who_ask_at_once(dev_ca, request_file, tmp_path):
    def issue(index):
        out = tmp_path / f"{index}.cer"
        dev_ca("issue", "--authority", "jma", "--request", request_file, "--holder", f"d-{index}", *NAMES, "--out", out)
        return openssl("x509", "-inform", "der", "-in", out, "-noout", "-serial")

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(issue, range(6)))) == 6


@pytest.mark.parametrize("authority", ["jma", "medis", "jpa"])
def test_each_authority_has_a_client_certificate_of_the_tls_authority(home, authority):
    folder = home / "development" / "authorities"
    certificate, key = folder / f"{authority}.pem", folder / f"{authority}.key"
    openssl("verify", "-purpose", "sslclient", "-CAfile", home / "development" / "tls" / "ca.pem", certificate)
    assert openssl("x509", "-in", certificate, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_home_without_authorities_is_told_so(tmp_path):
    run = shirushi("dev-ca", "crl", "--home", tmp_path, check=False)
    assert run.returncode == 1 and "no development instance" in run.stderr


HOLDERS = ["doctor-1", "dentist-1", "pharmacist-1", "nurse-1", "director-1"]


def verify_card(home, kind, card):
    """What openssl says of a card with the trust folder's contents: None where it is content."""
    trust = home / "trust" / "authentication" / kind
    arguments = ["openssl", "verify", "-x509_strict", "-extended_crl", "-crl_check_all", "-purpose", "sslclient"]
    for path in sorted((trust / "anchors").iterdir()):
        arguments += ["-trusted", str(path)]
    for path in sorted((trust / "intermediates").iterdir()):
        arguments += ["-untrusted", str(path)]
    lists = sorted((trust / "crls").iterdir())
    assert lists, trust
    for path in lists:
        arguments += ["-CRLfile", str(path)]
    run = subprocess.run([*arguments, str(card)], capture_output=True, text=True, timeout=60, check=False)
    return None if run.returncode == 0 else run.stdout + run.stderr


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("kind", ["hpki", "jpki"])
def test_every_holder_has_a_card_of_each_kind_that_openssl_accepts(home, holder, kind):
    card = home / "development" / "cards" / holder / f"{kind}.pem"
    key = card.with_suffix(".key")
    assert verify_card(home, kind, card) is None
    assert key.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert key.stat().st_mode & 0o777 == 0o600
    assert openssl("x509", "-in", card, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")
    text = openssl("x509", "-in", card, "-noout", "-text")
    assert ("serialNumber = " + holder in text) == (kind == "hpki")
    other = {"hpki": "jpki", "jpki": "hpki"}[kind]
    assert verify_card(home, other, card) is not None


def test_one_holder_has_a_card_by_the_old_key_of_the_same_authority(home):
    def issuer(holder):
        card = home / "development" / "cards" / holder / "jpki.pem"
        ids = openssl("x509", "-in", card, "-noout", "-ext", "authorityKeyIdentifier")
        return openssl("x509", "-in", card, "-noout", "-issuer"), ids.split("keyid:")[1].split()[0]

    found = {holder: issuer(holder) for holder in HOLDERS}
    assert len({name for name, _ in found.values()}) == 1
    assert len({key for _, key in found.values()}) == 2
    old = found.pop("pharmacist-1")[1]
    assert all(key != old for _, key in found.values())


@pytest.mark.parametrize("kind", ["hpki", "jpki"])
@pytest.mark.parametrize("generation", ["old", "new"])
def test_a_renewed_card_holds_until_it_is_revoked(dev_ca, home, tmp_path, kind, generation):
    card = tmp_path / f"{kind}.pem"
    first = home / "development" / "cards" / "doctor-1" / f"{kind}.pem"
    before = first.read_bytes()
    dev_ca("card", "--holder", "doctor-1", "--kind", kind, "--generation", generation, "--out", tmp_path)
    assert first.read_bytes() == before and card.read_bytes() != before
    assert verify_card(home, kind, card) is None
    dev_ca("revoke-card", card)
    assert "revoked" in verify_card(home, kind, card)
    assert verify_card(home, kind, first) is None
    again = dev_ca("revoke-card", card, check=False)
    assert again.returncode == 1 and "revoked already" in again.stderr


def test_a_stranger_gets_a_card_with_the_roles_asked_for_and_an_expired_one(dev_ca, home, tmp_path):
    arguments = ["--holder", "stranger-1", "--kind", "hpki", "--role", "Dentist", "--out", tmp_path]
    dev_ca("card", *arguments)
    text = openssl("x509", "-in", tmp_path / "hpki.pem", "-noout", "-text")
    assert "serialNumber = stranger-1" in text and "Dentist" in text
    dev_ca("card", *arguments, "--expired")
    assert "expired" in verify_card(home, "hpki", tmp_path / "hpki.pem")
    for holder in ["../x", "", "a/b", "x" * 65]:
        run = dev_ca("card", "--holder", holder, "--kind", "jpki", check=False)
        assert run.returncode != 0, holder
    stranger = dev_ca("revoke-card", home / "trust" / "anchors" / "dev-root.pem", check=False)
    assert stranger.returncode == 1 and "not issued here" in stranger.stderr


def test_a_holders_new_card_takes_the_place_of_the_old(dev_ca, home):
    card = home / "development" / "cards" / "nurse-1" / "jpki.pem"
    before = card.read_bytes()
    dev_ca("card", "--holder", "nurse-1", "--kind", "jpki")
    assert card.read_bytes() != before and verify_card(home, "jpki", card) is None


def test_the_servers_certificate_names_the_hosts_for_cards(home):
    chain = home / "development" / "tls" / "server.pem"
    for name in ["localhost", "hpki.localhost", "jpki.localhost"]:
        openssl("verify", "-verify_hostname", name, "-CAfile", home / "development" / "tls" / "ca.pem", chain)
