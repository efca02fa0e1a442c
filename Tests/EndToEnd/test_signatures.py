"""Baseline signatures over any documents, by document and by digest, at every level; judged by foreign tools."""

import base64
import hashlib
import http.server
import json
import ssl
import subprocess
import threading
import time

import pytest
from lxml import etree

import contract
import documents
import judges
import stranger
from instance import problem, shirushi

LETTER = '<letter xmlns="urn:example:letter"><body Id="body-1">紹介状 &amp; 経過</body><note/></letter>'.encode()
BLOB = bytes(range(256)) + "紹介状\r\n".encode()
SPACE = {"ds": stranger.DS, "xa": stranger.XADES, "xa141": "http://uri.etsi.org/01903/v1.4.1#"}
XADES = {
    "enveloped": {"document": documents.b64(LETTER)},
    "internally-detached": {"document": documents.b64(LETTER), "elementId": "body-1"},
    "enveloping": {"document": documents.b64(BLOB), "mimeType": "application/octet-stream"},
    "detached": {"document": documents.b64(BLOB), "name": "letter.bin"},
}
CADES = {"attached": {"document": documents.b64(BLOB)}, "detached": {"document": documents.b64(BLOB)}}
LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")


def order(format, packaging, *items, level="B-B", **more):
    return {"format": format, "packaging": packaging, "level": level, "documents": list(items), **more}


def post(instance, body, holder="doctor-1", **arguments):
    return instance.post("/v1/signatures", body, instance.token(holder), **arguments)


def signatures(response):
    assert response.status_code == 200, response.text
    return response.json()["signatures"]


def only(response):
    (one,) = signatures(response)
    assert set(one) == {"signature", "level", "signatureAlgorithm", "signatureId", "signedAt", "receipt"}, one
    return base64.b64decode(one["signature"], validate=True)


def exclusive(element):
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def sha256(octets):
    return documents.b64(hashlib.sha256(octets).digest())


def xmlsec1(document, home, folder, ids=()):
    """Digests, value and path; files that a signature names are looked for in `folder`."""
    (folder / "signed.xml").write_bytes(document)
    anchors, intermediates = judges.trust(home)
    names = [f"{SPACE['xa']}:SignedProperties", f"{SPACE['ds']}:Object", *ids]
    run = subprocess.run(
        ["xmlsec1", "--verify", "--enabled-key-data", "x509"]
        + [str(word) for path in anchors for word in ("--trusted-pem", path)]
        + [str(word) for path in intermediates for word in ("--untrusted-pem", path)]
        + [word for name in names for word in ("--id-attr:Id", name)]
        + ["signed.xml"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def openssl_cms(cms, home, folder, content=None):
    """The signature with signing-certificate-v2 and path; gives the content."""
    anchors, intermediates = judges.trust(home)
    (folder / "signature.p7s").write_bytes(cms)
    (folder / "authorities.pem").write_bytes(b"".join(path.read_bytes() for path in anchors + intermediates))
    command = ["openssl", "cms", "-verify", "-cades", "-inform", "DER", "-in", "signature.p7s", "-binary"]
    command += ["-CAfile", "authorities.pem", "-no-CApath", "-no-CAstore", "-purpose", "any"]
    if content is not None:
        (folder / "content").write_bytes(content)
        command += ["-content", "content"]
    run = subprocess.run(command, cwd=folder, capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout


def properties(document):
    """The names of the unsigned signature properties of the last signature, in order."""
    tree = etree.fromstring(document)
    found = tree.xpath("(//ds:Signature)[last()]//xa:UnsignedSignatureProperties/*", namespaces=SPACE)
    return [etree.QName(each).localname for each in found]


class TestXAdES:
    @pytest.mark.parametrize("level", LEVELS)
    @pytest.mark.parametrize("packaging", XADES)
    def test_every_packaging_at_every_level_is_verified_by_xmlsec1(self, instance, tmp_path, packaging, level):
        signed = only(post(instance, order("xades", packaging, XADES[packaging], level=level)))
        (tmp_path / "letter.bin").write_bytes(BLOB)
        xmlsec1(signed, instance.home, tmp_path, ids=["urn:example:letter:body"])
        expected = {
            "B-B": [],
            "B-T": ["SignatureTimeStamp"],
            "B-LT": ["SignatureTimeStamp", "TimeStampValidationData", "CertificateValues", "RevocationValues"],
        }
        expected["B-LTA"] = [*expected["B-LT"], "ArchiveTimeStamp"]
        assert properties(signed) == expected[level]

    def test_a_changed_document_is_refused_by_xmlsec1(self, instance, tmp_path):
        signed = only(post(instance, order("xades", "enveloped", XADES["enveloped"])))
        with pytest.raises(AssertionError):
            xmlsec1(signed.replace("経過".encode(), "経渦".encode()), instance.home, tmp_path)

    @pytest.mark.parametrize("packaging", ["enveloped", "internally-detached"])
    def test_a_document_keeps_its_bytes_around_the_signature(self, instance, packaging):
        signed = only(post(instance, order("xades", packaging, XADES[packaging])))
        start, end = signed.index(b"<ds:Signature "), signed.index(b"</ds:Signature>") + len(b"</ds:Signature>")
        assert signed[:start] + signed[end:] == LETTER

    def test_a_digest_alone_gives_the_signature_that_the_client_puts_in_its_place(self, instance, tmp_path):
        tree = etree.fromstring(LETTER)
        body = {
            "format": "xades",
            "packaging": "enveloped",
            "level": "B-LT",
            "documentDigests": [{"digest": sha256(exclusive(tree))}],
        }
        alone = only(post(instance, body))
        assert alone.startswith(b"<ds:Signature ")
        xmlsec1(LETTER.replace(b"</letter>", alone + b"</letter>"), instance.home, tmp_path)

    def test_longer_hashes_by_request(self, instance, tmp_path):
        for algorithm in ("rsa-pkcs1-sha384", "rsa-pkcs1-sha512"):
            body = order("xades", "enveloped", XADES["enveloped"], signatureAlgorithm=algorithm)
            signed = only(post(instance, body))
            assert f"#rsa-{algorithm.rsplit('-', 1)[1]}".encode() in signed
            xmlsec1(signed, instance.home, tmp_path)
        body = order("xades", "enveloped", XADES["enveloped"], signatureAlgorithm="rsa-pss-sha256")
        problem(post(instance, body), "credential-unusable")


class TestCAdES:
    @pytest.mark.parametrize("level", LEVELS)
    @pytest.mark.parametrize("packaging", CADES)
    def test_both_packagings_at_every_level_are_verified_by_openssl(self, instance, tmp_path, packaging, level):
        cms = only(post(instance, order("cades", packaging, CADES[packaging], level=level)))
        content = BLOB if packaging == "detached" else None
        assert openssl_cms(cms, instance.home, tmp_path, content) == BLOB

    def test_a_digest_alone(self, instance, tmp_path):
        for algorithm in ("sha256", "sha512"):
            digest = {"digest": documents.b64(hashlib.new(algorithm, BLOB).digest()), "digestAlgorithm": algorithm}
            body = {"format": "cades", "level": "B-LTA", "documentDigests": [digest]}
            body["signatureAlgorithm"] = f"rsa-pkcs1-{algorithm}"
            cms = only(post(instance, body))
            assert openssl_cms(cms, instance.home, tmp_path, BLOB) == BLOB

    def test_a_digest_by_another_function_than_the_key_s_is_refused(self, instance):
        digest = {"digest": documents.b64(hashlib.sha512(BLOB).digest()), "digestAlgorithm": "sha512"}
        problem(post(instance, {"format": "cades", "documentDigests": [digest]}), "malformed-request")


class TestForms:
    def test_a_prescription_by_its_digest_is_the_form_of_the_field(self, instance):
        csv = documents.b64(documents.prescription_csv())
        data = f'<PrescriptionDocument {documents.XSI} id="PrescriptionDocument">{csv}</PrescriptionDocument>'
        body = {"form": "prescription", "documentDigests": [{"digest": sha256(data.encode())}]}
        alone = only(post(instance, body))
        whole = documents.unsigned_prescription(base64.b64decode(csv), inner="<PrescriptionSign/>")
        signed = whole.replace(b"<PrescriptionSign/>", b"<PrescriptionSign>" + alone + b"</PrescriptionSign>")
        judges.both(signed, "prescription", instance.home)
        # Only those who may prescribe.
        problem(post(instance, body, "pharmacist-1"), "denied", rule="prescribing-needs-prescriber")

    def test_a_dispensing_result_by_its_digest_needs_the_acknowledgement(self, instance):
        body = {"form": "dispensing", "documentDigests": [{"digest": sha256(b"a dispensing result")}]}
        said = problem(post(instance, body, "pharmacist-1"), "prescription-indeterminate")
        assert said["reasons"] == ["prescription-not-seen"]
        assert only(post(instance, {**body, "acknowledge": said["reasons"]}, "pharmacist-1"))

    def test_other_documents_are_open_to_every_health_profession(self, instance):
        for holder in contract.HOLDERS:
            only(post(instance, order("cades", "detached", CADES["detached"]), holder))


class TestBatch:
    def test_results_stand_in_the_order_of_the_documents_each_with_its_own(self, instance, tmp_path):
        letters = [LETTER.replace(b"<note/>", b"<note>%d</note>" % number) for number in range(20)]
        items = [{"document": documents.b64(letter)} for letter in letters]
        items[7] = {"document": documents.b64(b"<not-well-formed")}
        found = signatures(post(instance, order("xades", "enveloped", *items)))
        assert len(found) == 20
        for number, each in enumerate(found):
            if number == 7:
                assert contract.kind_of(each["problem"]) == "invalid-xml"
            else:
                assert f"<note>{number}</note>".encode() in base64.b64decode(each["signature"])
        assert len({each["signatureId"] for each in found if "signatureId" in each}) == 19

    def test_the_same_key_gives_the_same_signatures_again(self, instance):
        body = order("xades", "enveloped", XADES["enveloped"], {"document": documents.b64(LETTER + b"<!-- 2 -->")})
        first = signatures(post(instance, body, key="order-1"))
        assert signatures(post(instance, body, key="order-1")) == first
        other = order("xades", "enveloped", {"document": documents.b64(b"<other/>")})
        problem(post(instance, other, key="order-1"), "idempotency-conflict")

    def test_what_all_fail_by_is_the_answer(self, instance):
        items = [XADES["enveloped"]] * 3
        expired = instance.token("doctor-1", "--auth-age", str(19 * 3600))
        answer = instance.post("/v1/signatures", order("xades", "enveloped", *items), expired)
        problem(answer, "window-elapsed")


@pytest.mark.parametrize(
    "body, kind",
    [
        ({}, "malformed-request"),
        ({"format": "pades", "documents": []}, "malformed-request"),
        ({"format": "xades", "documents": []}, "malformed-request"),
        ({"format": "xades", "documents": [{"document": "AA=="}], "documentDigests": []}, "malformed-request"),
        (order("xades", "attached", XADES["enveloped"]), "malformed-request"),
        (order("xades", "enveloped", XADES["enveloped"], level="B-X"), "malformed-request"),
        (order("xades", "enveloped", {**XADES["enveloped"], "name": "x"}), "malformed-request"),
        (order("xades", "detached", {"document": documents.b64(BLOB)}), "malformed-request"),
        (order("xades", "detached", {"document": documents.b64(BLOB), "name": "#x"}), "malformed-request"),
        (order("xades", "detached", {"document": documents.b64(BLOB), "name": "a\u0001"}), "malformed-request"),
        (order("xades", "internally-detached", {**XADES["enveloped"], "elementId": "nowhere"}), "wrong-document"),
        (order("xades", "enveloped", {"document": documents.b64(BLOB)}), "invalid-xml"),
        (order("xades", "enveloped", {"document": documents.b64(b"<!DOCTYPE a><a/>")}), "invalid-xml"),
        (order("xades", "enveloped", {"document": documents.b64(b'<a><b Id="x"/><c Id="x"/></a>')}), "invalid-xml"),
        (
            order("xades", "enveloped", {"document": documents.b64(b'<a Id="id0123456789abcdef"/>')}),
            "wrong-document",
        ),
        ({"format": "xades", "documentDigests": [{"digest": "AA=="}]}, "malformed-request"),
        (
            {"format": "xades", "level": "B-LTA", "documentDigests": [{"digest": sha256(b"x")}]},
            "malformed-request",
        ),
        ({"form": "prescription", "documents": [XADES["enveloped"]]}, "malformed-request"),
        (
            {"form": "prescription", "format": "xades", "documentDigests": [{"digest": sha256(b"")}]},
            "malformed-request",
        ),
    ],
)
def test_bad_input_uses_no_key(instance, body, kind):
    before = instance.signs()
    problem(post(instance, body), kind)
    assert instance.signs() == before


def test_a_signed_document_is_not_enveloped_again(instance):
    signed = only(post(instance, order("xades", "enveloped", XADES["enveloped"])))
    problem(post(instance, order("xades", "enveloped", {"document": documents.b64(signed)})), "already-signed")


class TestAugmentation:
    @pytest.mark.parametrize("level", LEVELS[1:])
    def test_a_signed_prescription_is_raised_and_still_verifies(self, instance, level):
        signed = documents.document_of(instance.prescribe(documents.prescribing()))
        answer = instance.post(
            "/v1/augmentations", {"signature": documents.b64(signed), "level": level}, instance.token("doctor-1")
        )
        assert answer.status_code == 200, answer.text
        raised = base64.b64decode(answer.json()["signature"])
        judges.both(raised, "prescription", instance.home)
        assert ("ArchiveTimeStamp" in properties(raised)) == (level == "B-LTA")

    def test_cades_is_raised_step_by_step(self, instance, tmp_path):
        cms = only(post(instance, order("cades", "detached", CADES["detached"])))
        for level in LEVELS[1:]:
            body = {"signature": documents.b64(cms), "level": level, "content": documents.b64(BLOB)}
            answer = instance.post("/v1/augmentations", body, instance.token("doctor-1"))
            assert answer.status_code == 200, answer.text
            cms = base64.b64decode(answer.json()["signature"])
            assert openssl_cms(cms, instance.home, tmp_path, BLOB) == BLOB

    def test_what_does_not_hold_gets_no_time_stamp(self, instance):
        signed = only(post(instance, order("xades", "enveloped", XADES["enveloped"])))
        broken = signed.replace("経過".encode(), "経渦".encode())
        body = {"signature": documents.b64(broken), "level": "B-T"}
        problem(instance.post("/v1/augmentations", body, instance.token("doctor-1")), "signature-rejected")


class TestHostile:
    """What was tried against these routes and must stay refused."""

    @pytest.mark.parametrize("target", ["PrescriptionDocument", "Dispensing"])
    def test_no_other_document_becomes_a_prescription_s_signature(self, instance, target):
        before = instance.signs()
        digest = {"digest": sha256(b"x"), "elementId": target}
        for packaging in ("internally-detached", "enveloping"):
            body = {"format": "xades", "packaging": packaging, "documentDigests": [digest]}
            assert post(instance, body).status_code in (400, 403)
        for name in (f"#{target}", f" #{target}"):
            named = {"digest": sha256(b"x"), "name": name}
            body = {"format": "xades", "packaging": "detached", "documentDigests": [named]}
            problem(post(instance, body), "malformed-request")
        document = documents.unsigned_prescription()
        for packaging, more in (("enveloped", {}), ("internally-detached", {"elementId": "PrescriptionDocument"})):
            body = order("xades", packaging, {"document": documents.b64(document), **more})
            problem(post(instance, body), "wrong-document")
        assert instance.signs() == before

    def test_one_key_is_for_one_order(self, instance):
        first, second = XADES["enveloped"], {"document": documents.b64(b"<second/>")}
        third = {"document": documents.b64(b"<third/>")}
        assert len(signatures(post(instance, order("xades", "enveloped", first), key="order-2"))) == 1
        before = instance.signs()
        for items in ([first, second], [third, second, first], [second]):
            problem(post(instance, order("xades", "enveloped", *items), key="order-2"), "idempotency-conflict")
        assert instance.signs() == before

    def test_the_same_element_is_signed_twice_within_a_second(self, instance, tmp_path):
        signed = LETTER
        for _ in range(4):
            item = {"document": documents.b64(signed), "elementId": "body-1"}
            signed = only(post(instance, order("xades", "internally-detached", item)))
        assert signed.count(b"<ds:Signature ") == 4
        answer = instance.post("/v1/validations", {"document": documents.b64(signed)}, instance.token("doctor-1"))
        assert [each["indication"] for each in answer.json()["signatures"]] == ["TOTAL-PASSED"] * 4

    @pytest.mark.parametrize("level", ["B-T", "B-LT"])
    def test_an_empty_property_is_no_level(self, instance, level):
        signed = only(post(instance, order("xades", "enveloped", XADES["enveloped"])))
        names = ["SignatureTimeStamp"] if level == "B-T" else ["CertificateValues", "RevocationValues"]
        inner = "".join(f"<xades:{name}></xades:{name}>" for name in names)
        added = (
            "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"
            f"{inner}</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
        )
        spoilt = signed.replace(b"</xades:QualifyingProperties>", added.encode() + b"</xades:QualifyingProperties>")
        body = {"signature": documents.b64(spoilt), "level": level}
        problem(instance.post("/v1/augmentations", body, instance.token("doctor-1")), "signature-rejected")

    def test_detached_content_stands_for_nothing_in_the_document(self, instance):
        signed = only(post(instance, order("xades", "internally-detached", XADES["internally-detached"])))
        element = '<body xmlns="urn:example:letter" Id="body-1">紹介状 &amp; 経過</body>'.encode()
        broken = signed.replace("経過".encode(), "経渦".encode())
        body = {"signature": documents.b64(broken), "level": "B-T", "content": documents.b64(element)}
        answer = instance.post("/v1/augmentations", {**body, "name": "#body-1"}, instance.token("doctor-1"))
        problem(answer, "malformed-request")

    def test_an_object_that_nothing_covers_keeps_the_signature_from_passing(self, instance):
        signed = only(post(instance, order("xades", "enveloped", XADES["enveloped"])))
        added = signed.replace(b"</ds:Signature>", b"<ds:Object><dose>1000 mg</dose></ds:Object></ds:Signature>")
        answer = instance.post("/v1/validations", {"document": documents.b64(added)}, instance.token("doctor-1"))
        (report,) = answer.json()["signatures"]
        assert report["indication"] == "INDETERMINATE"
        assert "unsigned-object" in [finding["reason"] for finding in report["findings"]]

    def test_namespaces_written_out_again_and_again_do_not_hold_the_service_up(self, instance):
        """A short document whose canonical form is hundreds of times as long, under sixteen References."""
        signed = only(post(instance, order("xades", "enveloped", XADES["enveloped"]))).decode()
        start, end = signed.index("<ds:Reference Id="), signed.index("</ds:Reference>") + len("</ds:Reference>")
        reference = signed[start:end]
        wide = "<p:a/>" * 4000
        document = f'<r xmlns:p="urn:{"x" * 1900}"><w Id="w">{wide}</w></r>'
        for number in range(14):
            document = document.replace("<r ", f'<v{number} Id="v{number}"><r ', 1)
            document = document.replace("</r>", f"</r></v{number}>", 1)
        many = "".join(
            reference.replace('URI=""', f'URI="#v{number}"').replace("-Reference1", f"-R{number}")
            for number in range(14)
        )
        signature = signed[signed.index("<ds:Signature ") : signed.index("</ds:Signature>") + len("</ds:Signature>")]
        bomb = f"<z>{document}{signature.replace(reference, many)}</z>".encode()
        began = time.monotonic()
        answer = instance.post("/v1/validations", {"document": documents.b64(bomb)}, instance.token("doctor-1"))
        assert answer.status_code == 200 and answer.json()["result"] == "failed", answer.text
        assert time.monotonic() - began < 10


class TestCommand:
    """`shirushi sign document`."""

    @pytest.fixture
    def sign(self, instance, tmp_path):
        (tmp_path / "token").write_text(instance.token("doctor-1"))

        def sign(content, *options):
            (tmp_path / "in").write_bytes(content)
            shirushi(
                *("sign", "document", tmp_path / "in", "--server", instance.url, "--out", tmp_path / "out"),
                *("--ca", contract.server_ca(instance.home), "--token-file", tmp_path / "token", *options),
            )
            return (tmp_path / "out").read_bytes()

        return sign

    @pytest.mark.parametrize("where", [(), ("--local",)])
    def test_makes_every_packaging(self, sign, instance, tmp_path, where):
        (tmp_path / "letter.bin").write_bytes(BLOB)
        for packaging, more in {
            "enveloped": (),
            "internally-detached": ("--element-id", "body-1"),
            "enveloping": (),
            "detached": ("--name", "letter.bin"),
        }.items():
            content = BLOB if packaging in ("enveloping", "detached") else LETTER
            signed = sign(content, "--packaging", packaging, *more, *where)
            xmlsec1(signed, instance.home, tmp_path, ids=["urn:example:letter:body"])
        for packaging in CADES:
            cms = sign(BLOB, "--format", "cades", "--packaging", packaging, *where)
            content = BLOB if packaging == "detached" else None
            assert openssl_cms(cms, instance.home, tmp_path, content) == BLOB

    def test_writes_nothing_that_does_not_hold(self, instance, tmp_path):
        """A service that answers with a signature value of its own making, behind the certificate of the real one."""

        class Liar(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = post(instance, body).json()
                good = base64.b64decode(answer["signatures"][0]["signature"])
                bad = good.replace(b'-SignatureValue">', b'-SignatureValue">AAAA', 1)
                answer["signatures"][0]["signature"] = documents.b64(bad)
                content = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        tls = instance.home / "development" / "tls"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "server.pem", tls / "server.key")
        server = http.server.HTTPServer(("127.0.0.1", 0), Liar)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "token").write_text(instance.token("doctor-1"))
        (tmp_path / "in").write_bytes(LETTER)
        try:
            run = shirushi(
                *("sign", "document", tmp_path / "in", "--server", f"https://localhost:{server.server_port}"),
                *("--ca", contract.server_ca(instance.home), "--token-file", tmp_path / "token"),
                *("--out", tmp_path / "out", "--local"),
                check=False,
            )
        finally:
            server.shutdown()
            server.server_close()
        assert run.returncode == 1 and "signature-value-mismatch" in run.stderr, run.stdout + run.stderr
        assert not (tmp_path / "out").exists()
