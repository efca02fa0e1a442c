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
