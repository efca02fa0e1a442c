"""Dispensing: the prescription is judged before the pharmacist's key is used."""

import pytest

import contract
import documents
import judges
import stranger
from documents import OTHER_ID, dispensing, dispensing_csv, document_of
from instance import problem


@pytest.mark.usefixtures("nothing_signed")
class TestRefused:
    def test_number_of_another_prescription(self, instance, prescription):
        answer = instance.dispense(dispensing(prescription, dispensing_csv(OTHER_ID)))
        problem(answer, "prescription-mismatch")

    def test_no_number_where_the_prescription_has_one(self, instance, prescription):
        csv = dispensing_csv().replace(f"7,{documents.PRESCRIPTION_ID},\n".encode(), b"")
        assert contract.kind_of(instance.dispense(dispensing(prescription, csv)).json()) in (
            "prescription-mismatch",
            "invalid-csv",
        )

    @pytest.mark.parametrize(
        "place, declared",
        [
            (b'<Document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', b' xmlns:x="urn:x"'),
            (b"<Document", b' xmlns="urn:x"'),
            (b"<Prescription", b' xmlns:x="urn:x"'),
        ],
    )
    def test_further_namespace_in_scope(self, instance, prescription, place, declared):
        changed = prescription.replace(place, place + declared, 1)
        assert changed != prescription
        answer = instance.dispense(dispensing(changed))
        assert contract.kind_of(answer.json()) in ("foreign-namespace", "prescription-rejected", "wrong-document")
        problem(answer, contract.kind_of(answer.json()))

    @pytest.mark.parametrize(
        "change",
        [
            (b'id="PrescriptionDocument">U0ox', b'id="PrescriptionDocument">U0oy'),
            (b"SigningTime>20", b"SigningTime>19"),
            (b"exc-c14n#", b"exc-c14n#WithComments"),
            (b"rsa-sha256", b"rsa-sha1"),
        ],
        ids=["records", "time", "canonicalisation", "algorithm"],
    )
    def test_broken_signature(self, instance, prescription, change):
        changed = prescription.replace(*change, 1)
        assert changed != prescription
        problem(instance.dispense(dispensing(changed)), "prescription-rejected")

    def test_broken_signature_cannot_be_acknowledged_away(self, instance, prescription):
        changed = prescription.replace(b'id="PrescriptionDocument">U0ox', b'id="PrescriptionDocument">U0oy', 1)
        first = instance.dispense(dispensing(changed))
        reasons = first.json().get("reasons") or ["digest-mismatch"]
        problem(instance.dispense(dispensing(changed, acknowledge=reasons)), "prescription-rejected")

    def test_unsigned(self, instance):
        answer = instance.dispense(dispensing(documents.registered(documents.unsigned_prescription())))
        problem(answer, "prescription-rejected")

    def test_a_second_element_of_the_signed_id(self, instance, prescription):
        shown = b'<PrescriptionDocument id="PrescriptionDocument">U0oxCg==</PrescriptionDocument>'
        answer = instance.dispense(dispensing(prescription.replace(b"<Prescription>", b"<Prescription>" + shown, 1)))
        assert contract.kind_of(answer.json()) in ("invalid-xml", "prescription-rejected")

    @pytest.mark.parametrize(
        "document, kind",
        [
            (b"", "malformed-request"),
            (b"SJ1\n", "invalid-xml"),
            (b"<Letter/>", "wrong-document"),
            (b"<!DOCTYPE a><a/>", "invalid-xml"),
            (b"<a>" * 50_000, "invalid-xml"),
        ],
    )
    def test_no_prescription(self, instance, document, kind):
        problem(instance.dispense(dispensing(document)), kind)

    @pytest.mark.parametrize(
        "csv, kind",
        [
            (documents.prescription_csv(), "invalid-csv"),
            (b"", "malformed-request"),
            (b"CJ1\n", "invalid-csv"),
            (dispensing_csv().replace(b"\n", b"\r\n"), "invalid-csv"),
            (b"CJ1,\n7,\xff,\n", "invalid-csv"),
            (b"CJ2,\n", "invalid-csv"),
            (dispensing_csv() + f"7,{OTHER_ID},\n".encode(), None),
        ],
        ids=range(7),
    )
    def test_records_that_are_none(self, instance, prescription, csv, kind):
        answer = instance.dispense(dispensing(prescription, csv))
        found = contract.kind_of(answer.json())
        assert found == kind or (kind is None and found in ("invalid-csv", "prescription-mismatch")), answer.text
        problem(answer, found)

    @pytest.mark.parametrize(
        "change",
        [
            {"acknowledge": "all"},
            {"acknowledge": [1]},
            {"prescription": None},
            {"csv": None},
            {"csv2": "x"},
            {"prescription": "%%%"},
            {"acknowledge": ["x" * 10_000]},
            {"acknowledge": ["x"] * 10_000},
        ],
        ids=range(8),
    )
    def test_a_body_of_nonsense(self, instance, prescription, change):
        answer = instance.dispense({**dispensing(prescription), **change})
        assert contract.kind_of(answer.json()) in ("malformed-request", "invalid-base64", "invalid-csv"), answer.text


def test_a_dispensing_result_is_no_prescription(instance, prescription):
    result = document_of(instance.dispense(dispensing(prescription)))
    uses = len(instance.signs())
    problem(instance.dispense(dispensing(result)), "wrong-document")
    assert len(instance.signs()) == uses


class TestAcknowledgement:
    """A stranger's signature: nobody here knows its root, so its trust is indeterminate."""

    @pytest.fixture(scope="class")
    def foreign(self):
        signed = stranger.sign(documents.unsigned_prescription(), stranger.Authority().signer())
        return documents.registered(signed)

    def test_without_it_a_stranger_is_refused_with_reasons(self, instance, foreign, nothing_signed):
        body = problem(instance.dispense(dispensing(foreign)), "prescription-indeterminate")
        assert body["reasons"] and all(isinstance(reason, str) for reason in body["reasons"])

    def test_of_other_reasons_does_not_count(self, instance, foreign, nothing_signed):
        for reasons in ([], ["something-else"]):
            answer = instance.dispense(dispensing(foreign, acknowledge=reasons))
            problem(answer, "prescription-indeterminate")

    def test_of_the_reasons_is_recorded_under_a_rule(self, instance, foreign):
        reasons = instance.dispense(dispensing(foreign)).json()["reasons"]
        answer = instance.dispense(dispensing(foreign, acknowledge=reasons))
        signed = document_of(answer)
        judges.both(signed, "dispensing", instance.home)
        mine = [record for record in instance.records() if record.holds(text=answer.json()["signatureId"])]
        assert mine and all(any(record.holds(text=reason) for record in mine) for reason in reasons)

    def test_beside_the_reasons_is_recorded_nowhere(self, instance, foreign):
        """What a client acknowledges beyond what was asked is its own text, and may be a patient's name."""
        reasons = instance.dispense(dispensing(foreign)).json()["reasons"]
        answer = instance.dispense(dispensing(foreign, acknowledge=[*reasons, "患者 山田太郎"]))
        mine = [record for record in instance.records() if record.holds(text=answer.json()["signatureId"])]
        assert mine and not any(record.holds(text="山田太郎") for record in instance.records())

    def test_by_a_doctor_changes_nothing(self, instance, foreign, nothing_signed):
        answer = instance.dispense(dispensing(foreign, acknowledge=["no-anchor"]), "doctor-1")
        problem(answer, "denied")


class TestForeignButTrusted:
    """The same stranger once the instance trusts its root: now role, dates and revocation decide."""

    @pytest.fixture(scope="class")
    def trusting(self, tmp_path_factory, shim):
        from instance import Instance

        instance = Instance(tmp_path_factory.mktemp("trusting") / "home", shim=shim)
        authority = stranger.Authority("TRUSTED")
        revoked = authority.signer()
        authority.install(instance.home, authority.crl([revoked]))
        instance.start()
        yield instance, authority, revoked
        instance.kill()

    def ask(self, instance, signer):
        signed = stranger.sign(documents.unsigned_prescription(), signer)
        uses = len(instance.signs())
        answer = instance.dispense(dispensing(documents.registered(signed)))
        assert len(instance.signs()) - uses == (1 if answer.status_code == 200 else 0)
        return answer

    def test_a_doctor_is_accepted(self, trusting):
        instance, authority, _ = trusting
        document_of(self.ask(instance, authority.signer()))

    def test_a_dentist_is_accepted(self, trusting):
        instance, authority, _ = trusting
        document_of(self.ask(instance, authority.signer("Dentist")))

    @pytest.mark.parametrize("role", ["Pharmacist", "General Nurse", "Director of Hospital", "medical doctor", None])
    def test_another_role_is_rejected(self, trusting, role):
        instance, authority, _ = trusting
        problem(self.ask(instance, authority.signer(role)), "prescription-rejected")

    def test_a_revoked_doctor_is_rejected(self, trusting):
        instance, _, revoked = trusting
        problem(self.ask(instance, revoked), "prescription-rejected")

    def test_an_expired_certificate_is_not_accepted(self, trusting):
        instance, authority, _ = trusting
        answer = self.ask(instance, authority.signer(days=(-30, -1)))
        assert contract.kind_of(answer.json()) in ("prescription-rejected", "prescription-indeterminate")

    def test_a_key_for_authentication_is_rejected(self, trusting):
        instance, authority, _ = trusting
        problem(self.ask(instance, authority.signer(usage="digital_signature")), "prescription-rejected")

    def test_an_authority_without_a_list_is_indeterminate(self, trusting):
        instance, _, _ = trusting
        authority = stranger.Authority("NOLIST")
        problem(self.ask(instance, authority.signer()), "prescription-indeterminate")
