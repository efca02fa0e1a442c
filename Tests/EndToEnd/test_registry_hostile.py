"""What a careless or hostile authority, and somebody who can write the database, try at the registry."""

import base64
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import contract
import documents
import registry
from instance import problem, shirushi
from registry import Authority, delivery


@pytest.fixture
def door(fresh, tmp_path):
    fresh.configure(lambda settings: settings["keys"].update(offered=["p-256"]))
    fresh.start()
    return fresh, Authority(fresh, "medis", tmp_path)


def altered(instance, *statements):
    """Does to the database what no writer of ours does."""
    assert instance.stop() == 0
    with sqlite3.connect(contract.database(instance.home)) as database:
        for statement in statements:
            database.execute(statement)
    database.close()
    instance.start()


def faults(instance):
    run = shirushi("keys", "audit", "--home", instance.home, check=False)
    assert run.returncode != 0, run.stdout
    return [line.split("FAULT", 1)[1].strip() for line in run.stdout.splitlines() if "FAULT" in line]


class TestOfTheDatabase:
    def test_a_revoked_key_made_active_behind_the_log_is_found(self, door):
        instance, authority = door
        authority.register("back")
        authority.admit("back-a", "back")
        authority.act("back-a", "revoke", {"reason": "keyCompromise"})
        # Also where the row claims that a later record, one of another row or one to come, tells of it.
        for record in ("record", "record + 1", "record - 1", "record + 100000", "NULL"):
            altered(instance, f"UPDATE credential SET state = 'active', record = {record} WHERE id = 'back-a'")
            found = faults(instance)
            assert found and all("credential back-a" in fault for fault in found), (record, found)
            altered(
                instance,
                "UPDATE credential SET state = 'revoked', record = (SELECT max(sequence) FROM audit_entry"
                " WHERE instr(detail, 'credential:back-a:')) WHERE id = 'back-a'",
            )
            registry.holds(instance)

    def test_a_row_put_in_behind_the_log_is_found(self, door):
        instance, authority = door
        authority.register("real")
        altered(
            instance,
            "INSERT INTO holder (id, state, authority, facts, version, record)"
            " SELECT 'ghost', state, authority, facts, version, record FROM holder WHERE id = 'real'",
        )
        assert [fault.split(":")[0] for fault in faults(instance)] == ["holder ghost"]

    def test_a_deleted_key_brought_back_is_found(self, door):
        instance, authority = door
        authority.register("gone")
        authority.admit("gone-a", "gone")
        with sqlite3.connect(contract.database(instance.home)) as database:
            row = database.execute("SELECT * FROM key_material WHERE credential = 'gone-a'").fetchone()
        authority.act("gone-a", "revoke", {"reason": "superseded"})
        authority.act("gone-a", "destroy")
        assert instance.stop() == 0
        with sqlite3.connect(contract.database(instance.home)) as database:
            database.execute("INSERT INTO key_material VALUES (?, ?, ?, ?, ?)", row)
        database.close()
        instance.start()
        assert faults(instance) == ["credential gone-a: its key is here, although it was deleted"]

    def test_a_version_at_the_end_of_counting_is_refused_and_ends_nothing(self, door):
        instance, authority = door
        authority.register("end")
        authority.admit("end-a", "end")
        altered(
            instance,
            "UPDATE credential SET version = 9223372036854775807 WHERE id = 'end-a'",
            "UPDATE holder SET version = 9223372036854775807 WHERE id = 'end'",
        )
        core = instance.pid("core")
        authority.refused("wrong-state", "POST", "credentials/end-a/suspend", {})
        authority.refused("registry-conflict", "POST", "holders/end/disable", {})
        assert instance.pid("core") == core


def test_ids_with_colons_are_audited_like_others(door):
    instance, authority = door
    for holder in ("a::b", ":", "x:", "a:1:00"):
        authority.register(holder)
    registry.holds(instance)


@pytest.mark.parametrize("mode", ["wrapped", "resident"])
def test_one_order_sent_many_times_at_once_makes_one_key(door, mode):
    instance, authority = door
    if mode == "resident":
        instance.stop()
        instance.configure(lambda settings: settings["keys"].update(mode="resident"))
        instance.start()
    authority.register("many")
    with ThreadPoolExecutor(12) as clients:
        answers = list(
            clients.map(lambda _: authority.ask("PUT", "credentials/many-a", {"holder": "many"}), range(12))
        )
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({answer.json()["publicKey"] for answer in answers}) == 1
    certificate = authority.certify("many-a", "many")
    assert authority.deliver("many-a", certificate)["state"] == "active"
    documents.document_of(instance.prescribe(documents.prescribing(), holder="many"))
    registry.holds(instance)


def test_the_mode_at_the_making_of_a_key_is_what_is_recorded(door):
    """Ordered as wrapped where the key could not be made, and made as resident."""
    instance, authority = door
    authority.register("mode")
    instance.stop()
    instance.start(SHIRUSHI_FAILPOINT="core.key-made")
    authority.ask("PUT", "credentials/mode-a", {"holder": "mode"})
    instance.kill()
    instance.configure(lambda settings: settings["keys"].update(mode="resident"))
    instance.start()
    assert authority.state("mode-a") == "requested"
    assert authority.order("mode-a", "mode")["custody"] == "resident"
    registry.holds(instance)


def test_an_older_list_takes_no_newer_ones_place(door, tmp_path):
    instance, authority = door
    authority.register("listed")
    authority.admit("listed-a", "listed")
    authority.deliver_list()
    published = instance.home / "trust" / "crls" / "development-medis.crl"
    older = published.read_bytes()
    time.sleep(1.1)
    shirushi("dev-ca", "revoke", "--home", instance.home, "--authority", "medis",
             "--certificate", tmp_path / "listed-a.cer", "--reason", "keyCompromise")  # fmt: skip
    assert authority.deliver_list()["revoked"] == ["listed-a"]
    newer = published.read_bytes()
    (kept,) = (instance.home / "trust" / "crls").glob("delivered-*.crl")
    assert kept.read_bytes() == newer != older
    authority.refused(
        "revocation-list-refused", "POST", "revocation-lists", {"list": base64.b64encode(older).decode()}
    )
    assert kept.read_bytes() == newer
    # The same again is no fault.
    authority.done("POST", "revocation-lists", {"list": base64.b64encode(newer).decode()})


def test_a_key_certified_at_the_moment_of_a_crash_takes_effect(door):
    instance, authority = door
    authority.register("crash")
    authority.order("crash-a", "crash")
    certificate = authority.certify("crash-a", "crash", check=False)
    instance.stop()
    instance.start(SHIRUSHI_FAILPOINT="core.certified")
    authority.ask("POST", "credentials/crash-a/certificate", delivery(certificate))
    instance.kill()
    instance.start()
    deadline = time.monotonic() + 20
    while authority.state("crash-a") != "active" and time.monotonic() < deadline:
        time.sleep(0.2)
    assert authority.deliver("crash-a", certificate)["state"] == "active"
    documents.document_of(instance.prescribe(documents.prescribing(), holder="crash"))


class TestOfRenewals:
    def test_a_credential_has_one_successor(self, door):
        instance, authority = door
        authority.register("heir")
        authority.admit("heir-a", "heir")
        with ThreadPoolExecutor(2) as clients:
            answers = list(
                clients.map(
                    lambda name: authority.ask("PUT", f"credentials/{name}", {"holder": "heir", "replaces": "heir-a"}),
                    ("heir-b", "heir-c"),
                )
            )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        winner = next(name for name, answer in zip(("heir-b", "heir-c"), answers) if answer.status_code == 200)
        assert authority.deliver(winner, authority.certify(winner, "heir", check=False))["state"] == "active"
        assert authority.state("heir-a") == "revoked"
        # Once that one has ended another may follow.
        authority.act(winner, "revoke", {"reason": "superseded"})
        authority.admit("heir-d", "heir", replaces="heir-a")
        documents.document_of(instance.prescribe(documents.prescribing(), holder="heir"))

    def test_what_is_not_in_effect_is_not_replaced(self, door):
        _, authority = door
        authority.register("early")
        authority.order("early-a", "early")
        authority.refused(
            "wrong-state", "PUT", "credentials/early-b", {"holder": "early", "replaces": "early-a"}
        )

    def test_a_takeover_in_the_past_is_a_mistake(self, door):
        _, authority = door
        authority.register("past")
        authority.order("past-a", "past")
        certificate = authority.certify("past-a", "past", check=False)
        body = delivery(certificate, takesOverAt="2026-04-01T00:00:00Z")
        authority.refused("malformed-request", "POST", "credentials/past-a/certificate", body)
        assert authority.state("past-a") == "generated"


def test_a_compromise_that_comes_out_later_is_recorded(door):
    instance, authority = door
    authority.register("late")
    authority.admit("late-a", "late")
    assert authority.act("late-a", "revoke", {"reason": "superseded"})["reason"] == "superseded"
    assert authority.act("late-a", "revoke", {"reason": "keyCompromise"})["reason"] == "keyCompromise"
    assert authority.act("late-a", "revoke", {"reason": "superseded"})["reason"] == "keyCompromise"
    registry.holds(instance)


def test_one_holders_broken_key_leaves_the_instance_ready(fresh, tmp_path):
    """Its material is changed for another's behind the log: it alone gives values that do not hold."""
    fresh.configure(lambda settings: settings["keys"].update(offered=["p-256"], mode="resident"))
    fresh.start()
    authority = Authority(fresh, "medis", tmp_path)
    for holder in ("broken", "sound"):
        authority.register(holder)
        authority.admit(f"{holder}-a", holder)
    keys = "SELECT key_id FROM key_material WHERE credential = '%s'"
    with sqlite3.connect(contract.database(fresh.home)) as database:
        one, other = (database.execute(keys % f"{each}-a").fetchone()[0].hex() for each in ("broken", "sound"))
    altered(
        fresh,
        "UPDATE key_material SET key_id = x'00' WHERE credential = 'sound-a'",
        f"UPDATE key_material SET key_id = x'{other}' WHERE credential = 'broken-a'",
        f"UPDATE key_material SET key_id = x'{one}' WHERE credential = 'sound-a'",
    )
    for _ in range(6):
        problem(fresh.prescribe(documents.prescribing(), holder="broken"), "key-unavailable")
    assert fresh.get("/health/ready").status_code == 200
