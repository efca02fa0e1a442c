"""Both kinds of document are signed, and foreign tools verify them."""

import base64
import datetime
import re

import pytest
from lxml import etree

import contract
import documents
import judges
import stranger


def names_in_scope(element):
    return {prefix: uri for prefix, uri in element.nsmap.items()}


@pytest.mark.parametrize("key_type", ["rsa-3072", "p-256"])
def test_with_keys_of_other_types(make_instance, key_type):
    instance = make_instance(options=("--key-type", key_type)).start()
    signed = documents.document_of(instance.prescribe(documents.prescribing()))
    judges.both(signed, "prescription", instance.home)
    key = judges.signing_certificate(signed, "prescription").public_key()
    assert f"{'rsa' if hasattr(key.public_numbers(), 'n') else 'p'}-{key.key_size}" == key_type
    result = documents.document_of(instance.dispense(documents.dispensing(documents.registered(signed))))
    judges.both(result, "dispensing", instance.home)
    judges.both(result, "inner", instance.home)


class TestPrescription:
    def test_is_verified_by_xmlsec1_and_signxml(self, instance):
        for body in (documents.prescribing(), {"document": documents.b64(documents.unsigned_prescription())}):
            signed = documents.document_of(instance.prescribe(body))
            judges.both(signed, "prescription", instance.home)

    def test_answer_names_what_was_signed(self, instance):
        before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        answer = instance.prescribe(documents.prescribing())
        after = datetime.datetime.now(datetime.timezone.utc)
        body = answer.json()
        assert set(body) == {"document", "signatureId", "signedAt", "receipt"}
        assert re.fullmatch(r"[0-9a-f]{32}", body["signatureId"])
        signed_at = datetime.datetime.fromisoformat(body["signedAt"].replace("Z", "+00:00"))
        assert before <= signed_at <= after
        assert judges.signing_time(documents.document_of(answer), "prescription") == signed_at
        assert "software token" in str(body["receipt"])

    def test_carries_the_records_unchanged(self, instance):
        csv = documents.prescription_csv()
        tree = etree.fromstring(documents.document_of(instance.prescribe(documents.prescribing(csv))))
        text = tree.findtext("Prescription/PrescriptionDocument")
        assert "\n" not in text and base64.b64decode(text, validate=True) == csv

    def test_document_given_as_xml_is_kept_byte_for_byte(self, instance):
        unsigned = documents.unsigned_prescription()
        signed = documents.document_of(instance.prescribe({"document": documents.b64(unsigned)}))
        start, end = signed.index(b"<PrescriptionSign>"), signed.index(b"</PrescriptionSign>") + 19
        assert signed[:start] + signed[end:] == unsigned

    def test_has_the_official_form(self, instance):
        signed = documents.document_of(instance.prescribe(documents.prescribing()))
        assert not re.search(rb">\s+<", signed), "white space between elements"
        tree = etree.fromstring(signed)
        assert set(tree.nsmap) == {"xsi"} and tree.get("id") == "Document"
        space = {"ds": stranger.DS, "xa": stranger.XADES}
        (signature,) = tree.xpath("/Document/Prescription/PrescriptionSign/ds:Signature", namespaces=space)
        assert signature.get("Id") == "PrescriptionSign"
        references = signature.findall("ds:SignedInfo/ds:Reference", space)
        assert [reference.get("URI") for reference in references] == [
            "#PrescriptionDocument",
            "#" + signature.find("ds:KeyInfo", space).get("Id"),
            "#" + signature.find(".//xa:SignedProperties", space).get("Id"),
        ]
        assert [reference.get("Type") for reference in references] == [
            None,
            None,
            "http://uri.etsi.org/01903#SignedProperties",
        ]
        assert [len(reference.findall("ds:Transforms", space)) for reference in references] == [0, 1, 1]
        assert len(signature.findall(".//ds:X509Certificate", space)) == 1
        assert signature.find(".//xa:SigningCertificateV2/xa:Cert/xa:IssuerSerialV2", space) is None
        for absent in ("UnsignedProperties", "SignaturePolicyIdentifier", "SignerRoleV2", "SignedDataObjectProperties"):
            assert signature.find(f".//xa:{absent}", space) is None, absent
        identifiers = [*tree.xpath("//@id"), *tree.xpath("//@Id")]
        assert len(identifiers) == len(set(identifiers))

    def test_is_what_the_key_signed_and_the_audit_holds(self, instance):
        uses = len(instance.signs())
        answer = instance.prescribe(documents.prescribing())
        digest = contract.digest_to_sign(documents.document_of(answer), "PrescriptionSign")
        assert instance.signs()[uses:] == [digest]
        intents = [record for record in instance.records() if record.is_intent and record.holds(digest=digest)]
        assert len(intents) == 1

    @pytest.mark.parametrize("holder", sorted(contract.PRESCRIBERS))
    def test_by_every_prescriber(self, instance, holder):
        signed = documents.document_of(instance.prescribe(documents.prescribing(), holder))
        judges.both(signed, "prescription", instance.home)


class TestDispensing:
    def test_is_verified_inside_and_out(self, instance, prescription):
        signed = documents.document_of(instance.dispense(documents.dispensing(prescription)))
        judges.both(signed, "dispensing", instance.home)
        judges.both(signed, "inner", instance.home)

    def test_carries_the_prescription_byte_for_byte(self, instance, prescription):
        csv = documents.dispensing_csv()
        signed = documents.document_of(instance.dispense(documents.dispensing(prescription, csv)))
        start = prescription.index(b"<PrescriptionManagement")
        inner = prescription[start : prescription.index(b"</Prescription></Document>")]
        assert signed.count(b"<ReferencePrescription>" + inner + b"</ReferencePrescription>") == 1
        tree = etree.fromstring(signed)
        assert base64.b64decode(tree.findtext("Dispensing/DispensingDocument"), validate=True) == csv
        assert set(tree.nsmap) == {"xsi"}

    def test_of_a_prescription_laid_out_with_tabs_and_prefixes_of_others(self, instance):
        authority = stranger.Authority("LAYOUT")
        unsigned = documents.unsigned_prescription().replace(b"<Prescription>", b"<Prescription>\n\t\t")
        received = documents.registered(stranger.sign(unsigned, authority.signer()))
        refused = instance.dispense(documents.dispensing(received))
        assert contract.kind_of(refused.json()) == "prescription-indeterminate"
        body = documents.dispensing(received, acknowledge=refused.json()["reasons"])
        signed = documents.document_of(instance.dispense(body))
        judges.both(signed, "dispensing", instance.home)
        assert b"<ReferencePrescription>\n\t\t<PrescriptionManagement" in signed


class TestCommandLine:
    def test_signs_both_and_verifies_both(self, instance, cli, tmp_path):
        def files(**contents):
            for name, content in contents.items():
                (tmp_path / name).write_bytes(content)

        files(
            p=documents.prescription_csv(),
            d=documents.dispensing_csv(),
            doctor=instance.token("doctor-1").encode(),
            pharmacist=instance.token("pharmacist-1").encode() + b"\n",
        )
        server = ["--server", instance.url, "--ca", contract.server_ca(instance.home)]
        cli(
            "sign",
            "prescription",
            *server,
            "--token-file",
            tmp_path / "doctor",
            "--csv",
            tmp_path / "p",
            "--out",
            tmp_path / "p.xml",
        )
        cli(
            "sign",
            "dispensing",
            *server,
            "--token-file",
            tmp_path / "pharmacist",
            "--csv",
            tmp_path / "d",
            "--prescription",
            tmp_path / "p.xml",
            "--out",
            tmp_path / "d.xml",
        )
        judges.both((tmp_path / "p.xml").read_bytes(), "prescription", instance.home)
        judges.both((tmp_path / "d.xml").read_bytes(), "dispensing", instance.home)
        for name in ("p.xml", "d.xml"):
            cli("verify", tmp_path / name, "--trust", instance.home / "trust")

    def test_says_why_nothing_was_signed(self, instance, cli, tmp_path, nothing_signed):
        (tmp_path / "token").write_text(instance.token("nurse-1"))
        (tmp_path / "csv").write_bytes(documents.prescription_csv())
        run = cli(
            "sign",
            "prescription",
            "--server",
            instance.url,
            "--ca",
            contract.server_ca(instance.home),
            "--token-file",
            tmp_path / "token",
            "--csv",
            tmp_path / "csv",
            "--out",
            tmp_path / "out.xml",
            check=False,
        )
        assert run.returncode != 0 and run.stderr and not (tmp_path / "out.xml").exists()
        assert instance.token("nurse-1") not in run.stderr + run.stdout

    def test_refuses_a_server_that_another_authority_certified(self, instance, cli, tmp_path, nothing_signed):
        (tmp_path / "token").write_text(instance.token("doctor-1"))
        (tmp_path / "csv").write_bytes(documents.prescription_csv())
        anchors, _ = judges.trust(instance.home)
        run = cli(
            "sign",
            "prescription",
            "--server",
            instance.url,
            "--ca",
            anchors[0],
            "--token-file",
            tmp_path / "token",
            "--csv",
            tmp_path / "csv",
            "--out",
            tmp_path / "out.xml",
            check=False,
        )
        assert run.returncode != 0 and not (tmp_path / "out.xml").exists()
