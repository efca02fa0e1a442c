"""Relying systems that are registered, changed and removed while the platform serves."""

import time

import pytest

import cards
import contract
import documents
import platform_clients
from instance import Instance, shirushi
from strict_client import Client, error_of
from visitor import Visitor

LONG_ENOUGH = 30


def until(fits, what):
    deadline = time.monotonic() + LONG_ENOUGH
    while not fits():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


def pushed(client):
    return client.push(client.parameters(acr_values="hpki-card"))


@pytest.fixture(scope="module")
def served(tmp_path_factory, shim):
    instance = Instance(tmp_path_factory.mktemp("clients") / "home", shim=shim)
    platform_clients.prepare(instance)
    try:
        yield instance.start()
    finally:
        instance.kill()


def notes(instance):
    rows = shirushi("audit", "list", "--home", instance.home, "--json").stdout.splitlines()
    return [row for row in rows if "clients: " in row]


def recorded(instance, what):
    until(lambda: any(what in row for row in notes(instance)), f"the log does not say {what}")


def test_a_new_client_is_let_in_and_a_removed_one_shut_out(served):
    """Core and front both follow, the signing policy too, and the log says so."""
    client = Client(served, "e2e-late")
    assert error_of(pushed(client)) == "invalid_client"
    client.register()
    until(lambda: pushed(client).status_code == 201, "the new client is not let in")
    visitor = Visitor(served, cards.development(served, "doctor-1", "hpki"))
    tokens = client.login(visitor, acr_values="hpki-card")
    documents.document_of(tokens.ask("POST", "/v1/prescriptions", documents.prescribing()))
    recorded(served, "added e2e-late")

    client.redirect = "https://elsewhere.example/callback"
    assert pushed(client).status_code == 400
    client.register()
    until(lambda: pushed(client).status_code == 201, "the new address is not taken")
    recorded(served, "changed e2e-late")

    (contract.clients(served.home) / "e2e-late.yaml").unlink()
    until(lambda: error_of(pushed(client)) == "invalid_client", "the client is still let in")
    recorded(served, "removed e2e-late")
    assert error_of(client.refresh_by_hand(tokens.refresh_token)) == "invalid_client"


def test_a_file_at_fault_changes_nothing_and_is_told(served):
    file = contract.clients(served.home) / "broken.yaml"
    before = len(notes(served))
    file.write_text("id: broken\nprofile: [\n")
    told = "the clients stay as they were"
    until(lambda: told in served.log.read_text(), "the log does not say what is wrong")
    assert pushed(served.strict).status_code == 201
    file.unlink()
    assert len(notes(served)) == before
