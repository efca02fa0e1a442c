"""Who may sign what: every holder against both kinds; a refusal names its rule, in the answer and in the audit."""

import pytest

import contract
import documents
from instance import problem


def attempt(instance, prescription, form, holder):
    if form == "prescription":
        return instance.prescribe(documents.prescribing(), holder)
    return instance.dispense(documents.dispensing(prescription), holder)


@pytest.mark.parametrize("form, allowed", [("prescription", contract.PRESCRIBERS), ("dispensing", contract.DISPENSERS)])
@pytest.mark.parametrize("holder", contract.HOLDERS)
def test_the_matrix(instance, prescription, form, allowed, holder):
    uses = len(instance.signs())
    answer = attempt(instance, prescription, form, holder)
    if holder in allowed:
        documents.document_of(answer)
        assert len(instance.signs()) == uses + 1
        return
    body = problem(answer, "denied")
    assert body["rule"], "a refusal names the rule that decided"
    assert len(instance.signs()) == uses, "a refused request used a key"
    last = instance.records()[-1]
    assert last.holds(text=body["rule"]), "the audit holds the same rule"


def test_director_1_prescribes_as_a_doctor(instance):
    signed = documents.document_of(instance.prescribe(documents.prescribing(), "director-1"))
    assert b"PrescriptionSign" in signed


@pytest.mark.usefixtures("nothing_signed")
class TestCredential:
    def test_of_another_holder_is_no_credential_of_the_caller(self, instance):
        there, nowhere = (
            problem(instance.prescribe(documents.prescribing(credentialID=name)), "no-credential")
            for name in ("pharmacist-1-key-1", "no-such-credential")
        )
        assert there["detail"] == nowhere["detail"], "the answer tells that another holder has it"

    @pytest.mark.parametrize("name", ["", "a b", "x" * 65, "é", 7, None, ["a"]])
    def test_that_is_no_name(self, instance, name):
        answer = instance.prescribe(documents.prescribing(credentialID=name))
        assert contract.kind_of(answer.json()) in ("malformed-request", "no-credential")
        assert answer.status_code in (400, 409)


def test_the_callers_own_credential_can_be_named(instance):
    documents.document_of(instance.prescribe(documents.prescribing(credentialID="doctor-1-key-1")))
