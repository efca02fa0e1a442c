"""The registration authorities' door against its own description: schemathesis plays a careless authority."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

import contract
from instance import Instance, problem

HOLDER = {
    "romajiName": "Hanako Suzuki",
    "japaneseName": "鈴木花子",
    "roles": ["Medical Doctor"],
    "registerNumbers": [{"register": "医籍", "number": "123456"}],
}

# Not positive_data_acceptance: what is well-formed may still be refused, such as a certificate made at random.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
)


@pytest.fixture(scope="module")
def door(tmp_path_factory, shim):
    """An instance of these tests' own with one holder more: a careless authority may suspend any holder it has."""
    instance = Instance(tmp_path_factory.mktemp("openapi") / "home", shim=shim).start()
    answer = instance.authority("medis").put(f"{instance.ra_url}/ra/v1/holders/openapi-1", json=HOLDER, timeout=30)
    assert answer.status_code == 200, answer.text
    yield instance
    instance.kill()


def test_every_answer_is_as_described(door, tmp_path):
    certificate, key = contract.authority_certificate(door.home, "medis")
    description = door.authority("medis").get(f"{door.ra_url}/ra/v1/openapi.json", timeout=30).json()
    # Values that exist, so that some requests reach further than a 404.
    for path, part in (("/ra/v1/holders/{holder}", "openapi-1"), ("/ra/v1/credentials/{credential}", "openapi-1-a")):
        description["paths"][path]["parameters"][0]["examples"] = {"known": {"value": part}}
    location = tmp_path / "openapi.json"
    location.write_text(json.dumps(description))
    # What breaks the description is refused as such; a 404 would hide that it was taken.
    (tmp_path / "schemathesis.toml").write_text(
        "[checks.negative_data_rejection]\nexpected-statuses = [400, 405, 413, 415, 422]\n"
    )
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            location,
            *("--url", door.ra_url),
            *("--request-cert", certificate),
            *("--request-cert-key", key),
            *("--tls-verify", contract.server_ca(door.home)),
            *("--checks", ",".join(CHECKS)),
            *("--phases", "examples,coverage,fuzzing"),
            *("--max-examples", str(contract.long(10, 200))),
            *("--seed", "20260401"),
            *("--request-timeout", "35"),
            *("--warnings", "off"),
            "--no-shrink",
            "--continue-on-failure",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=contract.long(300, 3600),
        stdin=subprocess.DEVNULL,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert door.process.poll() is None
    # The careless authority's requests left the careful one's holder as it was, or as it was last put.
    answer = door.authority("medis").get(f"{door.ra_url}/ra/v1/holders/openapi-1", timeout=30)
    assert answer.status_code == 200 and answer.json()["id"] == "openapi-1"


def test_without_a_certificate_nobody_comes_in(door):
    with pytest.raises(requests.RequestException):
        door.session().get(f"{door.ra_url}/ra/v1/openapi.json", timeout=10)


def test_an_authority_reads_what_it_put(door):
    client = door.authority("medis")
    answer = client.get(f"{door.ra_url}/ra/v1/holders/openapi-none", timeout=10)
    problem(answer, "not-found")
    listed = client.get(f"{door.ra_url}/ra/v1/holders", params={"limit": 1}, timeout=10).json()
    assert len(listed["holders"]) == 1


def test_another_authority_does_not_see_it(door):
    answer = door.authority("jpa").get(f"{door.ra_url}/ra/v1/holders/openapi-1", timeout=10)
    problem(answer, "not-found")
