"""A holder's whole life through the registration authorities' door, and the story that the log tells of it."""

import datetime
import json
import os
import sqlite3
import subprocess
import time

import pytest
import requests

import contract
import documents
import judges
import registry
from instance import Instance, problem, shirushi
from registry import Authority, delivery

# What `keys.offered` names, the type that is ordered, and who judges its signatures: xmlsec1 of Debian 12 (1.2.37)
# does not know the identifier of RSASSA-PSS with SHA-256 (RFC 9231, 2.3.10), so signxml judges that alone.
KEYS = {
    "rsa-2048": ("rsa-2048", judges.both),
    "p-256": ("p-256", judges.both),
    "p-384": ("p-384", judges.both),
    "rsa-2048-pss": ("rsa-2048", judges.signxml_alone),
}


@pytest.fixture(scope="module")
def offering(tmp_path_factory, shim):
    """A serving instance for each list of offered keys, made once."""
    made = {}

    def give(offered):
        if offered not in made:
            instance = Instance(
                tmp_path_factory.mktemp(offered) / "home", shim=shim, options=("--key-type", "p-256")
            )
            instance.configure(lambda settings: settings["keys"].update(offered=[offered]))
            made[offered] = instance.start()
        return made[offered]

    yield give
    for each in made.values():
        each.kill()


@pytest.fixture
def life(offering, tmp_path):
    instance = offering("p-256")
    return instance, Authority(instance, "medis", tmp_path)


def signed_by(instance, holder, judge=judges.both):
    """A prescription signed by the holder, judged by us and by others; gives the certificate in it."""
    document = documents.document_of(instance.prescribe(documents.prescribing(), holder=holder))
    file = instance.home.parent / "signed.xml"
    file.write_bytes(document)
    verified = shirushi("verify", file, "--trust", instance.home / "trust")
    assert verified.returncode == 0, verified.stdout
    judge(document, "prescription", instance.home)
    return judges.signing_certificate(document, "prescription")


@pytest.mark.parametrize("offered", KEYS)
def test_a_full_life_reads_as_a_story(offering, tmp_path, offered):
    instance, (key_type, judge) = offering(offered), KEYS[offered]
    authority = Authority(instance, "medis", tmp_path)
    holder, first, second = f"life-{offered}", f"life-{offered}-a", f"life-{offered}-b"
    uses = len(instance.signs())

    assert authority.register(holder)["enabled"]
    facts = authority.order(first, holder, key_type)
    assert (facts["state"], facts["keyType"], facts["custody"]) == ("generated", key_type, "wrapped")
    assert len(instance.signs()) == uses + 1, "the request is signed by its key, once"
    assert authority.order(first, holder, key_type) == facts, "asked again, nothing changes"
    assert len(instance.signs()) == uses + 1
    problem(instance.prescribe(documents.prescribing(), holder=holder), "no-credential")

    certificate = authority.certify(first, holder)
    assert authority.deliver(first, certificate)["state"] == "active"
    assert authority.deliver(first, certificate)["state"] == "active", "asked again, nothing changes"
    one = signed_by(instance, holder, judge)

    assert authority.order(second, holder, key_type, replaces=first)["state"] == "generated"
    assert signed_by(instance, holder, judge) == one, "until the new one is certified the old one signs"
    assert authority.deliver(second, authority.certify(second, holder))["state"] == "active"
    replaced = authority.credential(first)
    assert (replaced["state"], replaced["reason"]) == ("revoked", "superseded")
    two = signed_by(instance, holder, judge)
    assert two.serial_number != one.serial_number and two.public_key() != one.public_key()

    uses = len(instance.signs())
    assert authority.act(second, "suspend")["state"] == "suspended"
    problem(instance.prescribe(documents.prescribing(), holder=holder), "credential-unusable")
    assert len(instance.signs()) == uses, "a suspended key was used"
    assert authority.act(second, "resume")["state"] == "active"
    assert signed_by(instance, holder, judge) == two
    authority.refused("wrong-state", "POST", f"credentials/{second}/destroy", {})
    assert authority.act(second, "revoke", {"reason": "cessationOfOperation"})["state"] == "revoked"
    uses = len(instance.signs())
    problem(instance.prescribe(documents.prescribing(), holder=holder), "credential-unusable")
    assert len(instance.signs()) == uses, "a revoked key was used"
    authority.refused("wrong-state", "POST", f"credentials/{second}/resume", {})
    for each in (first, second):
        assert authority.act(each, "destroy")["state"] == "destroyed"
        authority.refused("wrong-state", "POST", f"credentials/{each}/resume", {})
    problem(instance.prescribe(documents.prescribing(), holder=holder), "no-credential")

    told = registry.story(instance, holder)
    algorithm = told[1]["note"].rsplit(", ", 1)[1]
    serials = [f"{each.serial_number:x}" for each in (one, two)]
    notes = [each["note"] for each in told if each["kind"] == "administration"]
    made = f"key generated: {key_type}, wrapped, epoch 1"
    gone = ["key deleted; destruction waits for the last backup", "destroyed: no backup can bring the key back"]
    expected = [
        "holder registered",
        f"key requested: {key_type}, {algorithm}",
        made,
        "certified: serial ",
        "active",
        f"renewal of {first} requested: {key_type}, {algorithm}",
        made,
        "certified: serial ",
        f"active; takes over from {first}, superseded",
        "suspended: certificateHold",
        "resumed",
        "revoked: cessationOfOperation",
        *gone,
        *gone,
    ]
    assert [note.split("serial ")[0] + ("serial " if "serial " in note else "") for note in notes] == expected
    found = [int(note.split("serial ")[1].replace(":", ""), 16) for note in notes if "serial " in note]
    assert found == [int(each, 16) for each in serials]
    registry.holds(instance)


def test_a_renewal_takes_over_at_its_time(life):
    instance, authority = life
    authority.register("later")
    authority.admit("later-a", "later")
    one = signed_by(instance, "later")
    authority.order("later-b", "later", replaces="later-a")
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=6)
    certificate = authority.certify("later-b", "later")
    facts = authority.deliver("later-b", certificate, takesOverAt=at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert facts["state"] == "certified"
    assert signed_by(instance, "later") == one
    deadline = time.monotonic() + 40
    while authority.state("later-b") != "active":
        assert time.monotonic() < deadline, "it does not take over by itself"
        assert authority.state("later-a") == "active"
        time.sleep(0.5)
    assert datetime.datetime.now(datetime.UTC) >= at - datetime.timedelta(seconds=1)
    assert authority.state("later-a") == "revoked"
    assert signed_by(instance, "later").serial_number != one.serial_number


def test_a_revocation_list_revokes_and_a_replayed_import_changes_nothing(life, tmp_path):
    instance, authority = life
    authority.register("listed")
    certificate = authority.admit("listed-a", "listed")
    file = tmp_path / "listed.cer"
    file.write_bytes(certificate)
    shirushi("dev-ca", "revoke", "--home", instance.home, "--authority", "medis", "--certificate", file,
             "--reason", "keyCompromise")  # fmt: skip
    facts = authority.deliver_list()
    assert facts["revoked"] == ["listed-a"]
    facts = authority.credential("listed-a")
    assert (facts["state"], facts["reason"]) == ("revoked", "keyCompromise")
    assert authority.deliver_list()["revoked"] == []

    holder = {"romajiName": "Taro Kumi", "japaneseName": "組　太郎", "roles": ["Medical Doctor"], "registerNumbers": []}
    rows = [{"holder": {"id": f"row-{i}", **holder}, "credential": f"row-{i}-a"} for i in range(20)]
    for _ in range(2):
        answer = authority.ask("PUT", "imports/april", {"rows": rows})
        assert answer.status_code == 202, answer.text
        deadline = time.monotonic() + 60
        while not (progress := authority.done("GET", "imports/april"))["finished"]:
            assert time.monotonic() < deadline, progress
            time.sleep(0.2)
        assert (progress["done"], progress["failed"]) == (20, 0), progress
    report = authority.done("GET", "imports/april/rows")["rows"]
    assert [row["outcome"] for row in report] == ["done"] * 20
    notes = [entry["note"] for entry in registry.story(instance, "row-7") if entry["kind"] == "administration"]
    assert len(notes) == 3, notes
    authority.refused("registry-conflict", "PUT", "imports/april", {"rows": rows[:3]})


def test_delivered_certificates_are_refused_with_their_reason(life):
    instance, authority = life
    other = Authority(instance, "jma", authority.folder)
    authority.register("strict")
    authority.register("strict-2")
    for credential, holder in (("strict-a", "strict"), ("strict-2-a", "strict-2")):
        authority.order(credential, holder)
    theirs = authority.certify("strict-2-a", "strict-2")

    def reasons(certificate):
        return authority.refused(
            "certificate-refused", "POST", "credentials/strict-a/certificate", delivery(certificate)
        )["reasons"]

    assert reasons(theirs) == ["other-public-key"]
    assert reasons(authority.certify("strict-a", "strict", roles=("Dentist",))) == ["role-not-registered"]
    assert reasons(authority.certify("strict-a", "strict", roles=())) == ["no-role"]
    request = authority.folder / "strict-a.csr"
    out = authority.folder / "by-another.cer"
    shirushi("dev-ca", "issue", "--home", instance.home, "--authority", other.name, "--request", request, "--holder",
             "strict", "--romaji-name", registry.ROMAJI, "--japanese-name", registry.JAPANESE, "--role", registry.ROLE,
             "--out", out)  # fmt: skip
    assert reasons(out.read_bytes()) == ["other-authority"]
    assert authority.state("strict-a") == "generated"
    assert authority.deliver("strict-a", authority.certify("strict-a", "strict"))["state"] == "active"


def test_authorities_try_each_others_holders(life):
    instance, authority = life
    authority.register("mine")
    certificate = authority.admit("mine-a", "mine")
    stranger = Authority(instance, "jma", authority.folder)
    before = (authority.done("GET", "holders/mine"), authority.credential("mine-a"))
    fields = {"romajiName": "Mallory", "japaneseName": "他", "roles": [registry.ROLE], "registerNumbers": []}
    tries = [
        ("GET", "holders/mine", None),
        ("PUT", "holders/mine", fields),
        ("POST", "holders/mine/disable", {}),
        ("POST", "holders/mine/enable", {}),
        ("GET", "credentials/mine-a", None),
        ("GET", "credentials/mine-a/request", None),
        ("PUT", "credentials/mine-a", {"holder": "mine"}),
        ("PUT", "credentials/mine-b", {"holder": "mine"}),
        ("PUT", "credentials/mine-b", {"holder": "mine", "replaces": "mine-a"}),
        ("POST", "credentials/mine-a/certificate", delivery(certificate)),
        ("POST", "credentials/mine-a/suspend", {}),
        ("POST", "credentials/mine-a/resume", {}),
        ("POST", "credentials/mine-a/revoke", {"reason": "keyCompromise"}),
        ("POST", "credentials/mine-a/destroy", {}),
    ]
    for method, path, body in tries:
        answer = stranger.ask(method, path, body)
        assert answer.status_code in (404, 409), f"{method} {path}: {answer.status_code} {answer.text}"
        assert "Shiken" not in answer.text and "medis" not in answer.text
    # A name of its own beside another's: the other's holder and key cannot be drawn to it.
    stranger.register("theirs")
    answer = stranger.ask("PUT", "credentials/mine-a", {"holder": "theirs"})
    assert answer.status_code in (404, 409), answer.text
    answer = stranger.ask("PUT", "credentials/theirs-b", {"holder": "theirs", "replaces": "mine-a"})
    assert answer.status_code in (404, 409), answer.text
    assert "mine" not in [each["id"] for each in stranger.done("GET", "holders")["holders"]]
    listed = stranger.ask("GET", "credentials", params={"holder": "mine"})
    assert listed.status_code == 404 or listed.json()["credentials"] == []
    rows = [{"holder": {"id": "mine", **fields}, "credential": "mine-c"}]
    answer = stranger.ask("PUT", "imports/raid", {"rows": rows})
    assert answer.status_code == 202
    deadline = time.monotonic() + 30
    while not stranger.done("GET", "imports/raid")["finished"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    (row,) = stranger.done("GET", "imports/raid/rows")["rows"]
    assert row["outcome"] in ("not-found", "registry-conflict"), row
    authority.refused("not-found", "GET", "imports/raid")
    # A list of an issuer that is not the stranger's.
    shirushi("dev-ca", "crl", "--home", instance.home)
    content = (instance.home / "trust" / "crls" / "development-medis.crl").read_bytes()
    stranger.refused("revocation-list-refused", "POST", "revocation-lists", {"list": documents.b64(content)})
    assert (authority.done("GET", "holders/mine"), authority.credential("mine-a")) == before
    signed_by(instance, "mine")


def test_the_tls_certificate_of_no_authority_is_nobody(life, tmp_path):
    """Issued by the same authority of TLS, but not registered: the listener's server certificate."""
    instance, authority = life
    session = instance.session()
    folder = instance.home / "development" / "tls"
    session.cert = (str(folder / "server.pem"), str(folder / "server.key"))
    try:
        answer = session.get(f"{instance.ra_url}/ra/v1/holders", timeout=10)
    except requests.exceptions.ConnectionError:
        return  # It is no client's certificate either, and TLS may say so first.
    problem(answer, "unknown-authority")


def test_the_command_line_does_the_same(life, tmp_path):
    instance, authority = life
    place = ("--home", instance.home, "--authority", "medis")
    shirushi("holders", "put", "typed", *place, "--romaji-name", registry.ROMAJI, "--japanese-name", registry.JAPANESE,
             "--role", registry.ROLE, "--register", "医籍=123456")  # fmt: skip
    shirushi("keys", "request", "typed-a", "--holder", "typed", *place)
    request = tmp_path / "typed.csr"
    request.write_text(shirushi("keys", "csr", "typed-a", *place).stdout)
    registry.openssl("req", "-in", request, "-verify", "-noout")
    out = tmp_path / "typed.cer"
    shirushi("dev-ca", "issue", "--home", instance.home, "--authority", "medis", "--request", request, "--holder",
             "typed", "--romaji-name", registry.ROMAJI, "--japanese-name", registry.JAPANESE, "--role", registry.ROLE,
             "--out", out)  # fmt: skip
    shirushi("keys", "deliver", "typed-a", out, *place)
    assert authority.state("typed-a") == "active"
    signed_by(instance, "typed")
    shirushi("keys", "suspend", "typed-a", *place)
    problem(instance.prescribe(documents.prescribing(), holder="typed"), "credential-unusable")
    shirushi("keys", "resume", "typed-a", *place)
    shirushi("keys", "revoke", "typed-a", "--reason", "keyCompromise", *place)
    shirushi("keys", "destroy", "typed-a", *place)
    shown = json.loads(shirushi("keys", "show", "typed-a", *place, "--json").stdout)
    assert shown["state"] == "destroyed"
    assert shirushi("keys", "show", "typed-a", "--home", instance.home, "--authority", "jma", check=False).returncode


def test_keys_audit_finds_a_row_that_was_altered_and_a_planted_object(make_instance, tmp_path):
    instance = make_instance(options=("--key-type", "p-256"))
    instance.start()
    registry.holds(instance)
    instance.stop()
    with sqlite3.connect(contract.database(instance.home)) as database:
        (one, _), (_, other) = database.execute("SELECT credential, blob FROM key_material LIMIT 2").fetchall()
        database.execute("UPDATE key_material SET blob = ? WHERE credential = ?", (other, one))
    environment = {"SOFTHSM2_CONF": str(instance.home / "hsm" / "softhsm2.conf")}
    pin = (instance.home / "secrets" / "hsm.pin").read_text().strip()
    subprocess.run(
        ["pkcs11-tool", "--module", contract.SOFTHSM, "--token-label", "shirushi", "--login", "--pin", pin,
         "--keygen", "--key-type", "AES:32", "--label", "stray", "--id", "0bad"],
        check=True, capture_output=True, timeout=60, env={**os.environ, **environment},
    )  # fmt: skip
    instance.start()
    run = shirushi("keys", "audit", "--home", instance.home, check=False)
    assert run.returncode != 0 and '"stray": a stray object' in run.stdout, run.stdout
    assert f"credential {one}: its key was moved or altered" in run.stdout, run.stdout
