"""POST /v1/timestamps: a digest in, a time stamp out that openssl believes."""

import base64
import hashlib
import shutil
import subprocess

import pytest

import documents
from instance import problem, shirushi


def ask(instance, digest, algorithm="sha256", holder="doctor-1", **more):
    body = {"digest": base64.b64encode(digest).decode(), "digestAlgorithm": algorithm, **more}
    return instance.post("/v1/timestamps", body, instance.token(holder))


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_verifies_the_time_stamp(instance, tmp_path, algorithm):
    data = b"a document that stays at home"
    answer = ask(instance, hashlib.new(algorithm, data).digest(), algorithm)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["policy"] == "2.999.3161.1" and body["accuracyMicroseconds"] == 1_000_000
    assert "DEVELOPMENT Time-Stamping Unit" in body["authority"]
    (tmp_path / "data").write_bytes(data)
    (tmp_path / "token").write_bytes(base64.b64decode(body["token"]))
    anchor = instance.home / "trust/timestamps/anchors/dev-timestamps.pem"
    # The anchor is no root of its own: -partial_chain takes it as what the operator trusts.
    verify = ["openssl", "ts", "-verify", "-token_in", "-in", "token", "-CAfile", str(anchor), "-partial_chain"]
    run = subprocess.run([*verify, "-data", "data"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0 and "Verification: OK" in run.stdout, run.stdout + run.stderr
    (tmp_path / "data").write_bytes(data + b"!")
    run = subprocess.run([*verify, "-data", "data"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode != 0, run.stdout
    shown = subprocess.run(
        ["openssl", "ts", "-reply", "-token_in", "-in", "token", "-token_out", "-text"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert body["serialNumber"].lstrip("0") in shown.lower().replace("0x", "").replace(":", "")


def test_serial_numbers_differ(instance):
    digest = hashlib.sha256(b"twice").digest()
    first, second = ask(instance, digest).json(), ask(instance, digest).json()
    assert first["serialNumber"] != second["serialNumber"] and first["token"] != second["token"]


def test_a_policy_that_nobody_offers(instance):
    digest = hashlib.sha256(b"x").digest()
    assert ask(instance, digest, policy="2.999.3161.1").status_code == 200
    problem(ask(instance, digest, policy="1.2.3"), "time-stamp-policy-not-offered")
    problem(ask(instance, digest, policy="1.2.x"), "malformed-request")


def test_only_known_callers_get_any(instance):
    body = {"digest": base64.b64encode(bytes(32)).decode(), "digestAlgorithm": "sha256"}
    problem(instance.post("/v1/timestamps", body), "missing-token")
    problem(instance.post("/v1/timestamps", body, "not.a.token"), "invalid-token")


@pytest.mark.parametrize(
    "body,kind",
    [
        ({"digest": "AAAA", "digestAlgorithm": "sha256"}, "malformed-request"),
        ({"digest": base64.b64encode(bytes(32)).decode(), "digestAlgorithm": "sha1"}, "malformed-request"),
        ({"digest": base64.b64encode(bytes(32)).decode()}, "malformed-request"),
        ({"digestAlgorithm": "sha256"}, "malformed-request"),
        ({"digest": "*", "digestAlgorithm": "sha256"}, "invalid-base64"),
        ({"digest": base64.b64encode(bytes(65)).decode(), "digestAlgorithm": "sha512"}, "too-large"),
        ({"digest": "", "digestAlgorithm": "sha256", "document": ""}, "malformed-request"),
    ],
)
def test_what_is_no_digest_is_refused(instance, body, kind):
    problem(instance.post("/v1/timestamps", body, instance.token("doctor-1")), kind)


def test_without_its_authority_there_is_no_time_stamp_and_signing_goes_on(make_instance):
    instance = make_instance()

    def move(settings):
        settings["timestamps"]["authorities"][0]["url"] = "http://127.0.0.1:9/"

    instance.configure(move)
    instance.start()
    problem(ask(instance, bytes(32)), "time-stamp-unavailable")
    assert "no time stamp by this authority" in instance.log.read_text()
    assert instance.prescribe(documents.prescribing()).status_code == 200


def test_an_instance_without_authorities_offers_none(make_instance):
    instance = make_instance()
    instance.configure(lambda settings: settings.pop("timestamps"))
    instance.start()
    problem(ask(instance, bytes(32)), "time-stamps-not-offered")


def test_a_client_has_so_many_a_minute_and_is_told_before_anything_is_signed(make_instance):
    instance = make_instance()
    instance.configure(lambda settings: settings["timestamps"].update(perClientMinute=128))
    instance.start()
    one = {"document": base64.b64encode(b"<letter/>").decode()}
    body = {"format": "xades", "level": "B-LTA", "documents": [one] * 60}
    answer = instance.post("/v1/signatures", body, instance.token("doctor-1"))
    assert answer.status_code == 200, answer.text
    before = instance.signs()
    refused = problem(instance.post("/v1/signatures", body, instance.token("doctor-1")), "too-many-requests")
    assert "needs 120 time stamps" in refused["detail"] and 1 <= refused["retryAfter"] <= 60, refused
    assert instance.signs() == before
    assert instance.prescribe(documents.prescribing()).status_code == 200


class TestConfiguration:
    def faults(self, instance):
        run = shirushi("serve", "--home", instance.home, "--check", check=False)
        assert run.returncode == 78, run.stdout + run.stderr
        return run.stderr

    def test_production_has_no_development_authority(self, make_instance):
        instance = make_instance()
        instance.configure(lambda settings: settings.update(kind="production"))
        text = self.faults(instance)
        assert "`development`: a production instance has no development authority" in text, text
        assert "`trust/timestamps/anchors`: " in text and "is a development anchor" in text, text

    def test_what_is_unsafe_or_cannot_work_is_named(self, make_instance):
        instance = make_instance()

        def spoil(settings):
            authority = settings["timestamps"]["authorities"][0]
            authority["url"] = "ftp://tsa.example/"
            authority["timeoutSeconds"] = 40
            settings["timestamps"]["authorities"] = [authority, dict(authority, policies=[])]
            settings["revocation"]["prefixes"] = ["http://lists.example"]
            settings["timestamps"]["perClientMinute"] = 100

        instance.configure(spoil)
        for path in ("anchors/dev-timestamps.pem", "crls/development-tsa.crl"):
            (instance.home / "trust/timestamps" / path).unlink()
        text = self.faults(instance)
        for words in (
            "`timestamps.perClientMinute` must be 0 or at least 128",
            "names one authority twice",
            "must begin with https://",
            "more than a minute",
            "`revocation.prefixes`: http://lists.example must be",
            "there is no certificate in",
        ):
            assert words in text, text

    def test_an_instance_made_before_there_were_time_stamps_serves(self, make_instance):
        instance = make_instance()

        def forget(settings):
            for key in ("timestamps", "revocation", "development"):
                settings.pop(key)

        instance.configure(forget)
        for folder in ("trust/timestamps", "evidence"):
            shutil.rmtree(instance.home / folder)
        (instance.home / "development/timestamps.json").unlink()
        instance.start()
        problem(ask(instance, bytes(32)), "time-stamps-not-offered")
        assert instance.stop() == 0


def test_the_authority_is_there_again_after_a_stop(make_instance):
    instance = make_instance().start()
    assert ask(instance, bytes(32)).status_code == 200
    assert instance.stop() == 0
    instance.start()
    answer = ask(instance, bytes(32))
    assert answer.status_code == 200, answer.text
    assert instance.stop() == 0
