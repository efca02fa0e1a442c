"""The validation policy of an instance: its own file instead of the one that ships."""

import hashlib
from pathlib import Path

import pytest

import documents
from instance import problem, shirushi

SHIPPED = (Path(__file__).resolve().parents[2] / "policies" / "validation.yaml").read_text()


def put(instance, text):
    """Writes the policy and names it in the configuration; gives its SHA-256."""
    (instance.home / "policies" / "own.yaml").write_text(text)
    instance.configure(lambda settings: settings.update(validationPolicy="policies/own.yaml"))
    return hashlib.sha256(text.encode()).hexdigest()


def report(instance, document):
    answer = instance.post("/v1/validations", {"document": documents.b64(document)}, instance.token("doctor-1"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_documents_are_judged_by_the_policy_that_the_operator_names(make_instance):
    instance = make_instance()
    text = SHIPPED.replace("policy: shirushi-standard", "policy: clinic").replace("[Medical Doctor, ", "[")
    digest = put(instance, text)
    instance.start()
    document = documents.document_of(instance.prescribe(documents.prescribing()))
    found = report(instance, document)
    assert found["policy"] == {"id": "clinic", "sha256": digest}
    reasons = [each["reason"] for each in found["signatures"][0]["findings"]]
    assert found["result"] == "failed" and reasons == ["role-not-of-form"], found
    # The same holds of what is to be dispensed.
    body = documents.dispensing(documents.registered(document))
    problem(instance.dispense(body), "prescription-rejected", reasons=["role-not-of-form"])


def test_an_algorithm_s_day_has_come(make_instance):
    instance = make_instance()
    put(instance, SHIPPED.replace("rsa-pkcs1-sha256: accepted", "rsa-pkcs1-sha256: 2020-01-01"))
    instance.start()
    found = report(instance, documents.document_of(instance.prescribe(documents.prescribing())))["signatures"][0]
    assert found["indication"] == "INDETERMINATE" and found["subIndication"] == "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    reasons = {each["reason"] for each in found["findings"]}
    assert "algorithm-no-longer-accepted" in reasons, found


@pytest.mark.parametrize(
    "change, words",
    [
        (("minimum-rsa-bits: 2048", "minimum-rsa-bits: 512"), "minimum-rsa-bits"),
        (("clock-tolerance: 5m", "anchors:\n  signers: [nowhere]"), "nowhere"),
        (None, "own.yaml"),
    ],
)
def test_a_policy_that_cannot_be_used_is_named_before_the_start(make_instance, change, words):
    instance = make_instance()
    put(instance, SHIPPED.replace(*change) if change else SHIPPED)
    if not change:
        (instance.home / "policies" / "own.yaml").unlink()
    run = shirushi("serve", "--home", instance.home, "--check", check=False)
    assert run.returncode == 78, run.stdout + run.stderr
    assert "`validationPolicy`: " in run.stderr and words in run.stderr, run.stderr


def test_the_check_says_which_policy_is_in_force(make_instance):
    instance = make_instance()
    assert "the policy that ships" in shirushi("serve", "--home", instance.home, "--check").stdout
    put(instance, SHIPPED)
    assert "policies/own.yaml" in shirushi("serve", "--home", instance.home, "--check").stdout
