"""A new wrapping key while the instance serves, a token that is lost, and a backup that revives nothing."""

import shutil
import time

import pytest

import documents
import judges
import registry
from instance import problem, shirushi
from registry import Authority
from test_ceremony import begin, officers, present  # noqa: F401 (a fixture)

# The holders that it begins with have resident keys, so that the first wrapping key is the officers'.
OPTIONS = ("--custody", "resident", "--key-type", "p-256")
HOLDERS = [f"turn-{index}" for index in range(6)]


@pytest.fixture
def kept(make_instance, officers, tmp_path):  # noqa: F811
    """An instance whose wrapping key two officers made, with active keys in wrapped custody, serving."""
    instance = make_instance(options=OPTIONS)
    instance.configure(lambda settings: settings["keys"].update(mode="wrapped", offered=["p-256"]))
    begin(instance, officers)
    instance.start()
    authority = Authority(instance, "medis", tmp_path)
    for holder in HOLDERS:
        authority.register(holder)
        authority.admit(f"{holder}-a", holder)
    return instance, authority


def all_sign(instance, holders=HOLDERS):
    for holder in holders:
        document = documents.document_of(instance.prescribe(documents.prescribing(), holder=holder))
        judges.both(document, "prescription", instance.home)


def rotation(instance, *options):
    return shirushi("keys", "rotation", "--home", instance.home, *options).stdout


def ceremony(instance, officers, act, *options, names=("Aoki", "Baba")):  # noqa: F811
    return shirushi(
        "hsm", act, "--home", instance.home, *options, *present(officers, *names), environment=instance.environment
    )


def test_every_key_moves_to_a_new_epoch_while_serving(kept, officers):  # noqa: F811
    instance, authority = kept
    current = int(rotation(instance).split()[1].rstrip(","))
    core = instance.pid("core")
    ceremony(instance, officers, "epoch")
    all_sign(instance, HOLDERS[:2])
    said = rotation(instance, "--wait")
    assert f"epoch {current + 1}," in said and "keys still to move: 0\n\nNext:" in said, said
    assert f"hsm retire --home {instance.home} --epoch {current} " in said, said
    all_sign(instance)
    authority.register("newcomer")
    authority.admit("newcomer-a", "newcomer")
    notes = [each["note"] for each in registry.story(instance, "newcomer")]
    assert any(f"wrapped, epoch {current + 1}" in note for note in notes), notes
    registry.holds(instance)
    # Not the one in use.
    two = present(officers, "Aoki", "Baba")
    run = shirushi(
        "hsm", "retire", "--home", instance.home, "--epoch", str(current + 1), *two,
        check=False, environment=instance.environment,
    )  # fmt: skip
    assert run.returncode != 0 and "hsm epoch" in run.stderr, run.stderr
    ceremony(instance, officers, "retire", "--epoch", str(current))
    all_sign(instance, [*HOLDERS, "newcomer"])
    assert "retiring: none" in rotation(instance)
    assert instance.pid("core") == core, "it was served all the while"
    audited = registry.holds(instance)
    assert f"shirushi wrapping {current + 1}" in audited and f'"shirushi wrapping {current}"' not in audited
    shirushi("hsm", "protocol", "verify", "--home", instance.home)


def test_an_epoch_with_keys_under_it_is_not_retired(kept, officers):  # noqa: F811
    instance, _ = kept
    current = rotation(instance).split()[1].rstrip(",")
    instance.stop()
    ceremony(instance, officers, "epoch")
    run = shirushi("hsm", "retire", "--home", instance.home, "--epoch", current, *present(officers, "Aoki", "Baba"),
                   check=False, environment=instance.environment)  # fmt: skip
    assert run.returncode != 0 and "nothing was destroyed" in run.stderr, run.stderr
    # Nothing moves while nothing serves, so there is nothing to wait for.
    waiting = shirushi("keys", "rotation", "--home", instance.home, "--wait", check=False, timeout=20)
    assert waiting.returncode == 1 and f"shirushi serve --home {instance.home}" in waiting.stderr, waiting.stderr
    instance.start()
    rotation(instance, "--wait")
    all_sign(instance)


def test_a_lost_token_is_replaced_and_signing_goes_on(kept, officers):  # noqa: F811
    """The drill: the first token's folder is deleted, and two officers put the wrapping key into another."""
    instance, authority = kept
    all_sign(instance)
    instance.kill()
    tokens = instance.home / "hsm" / "tokens"
    shutil.rmtree(tokens)
    tokens.mkdir(mode=0o700)
    instance.configure(lambda settings: settings["hsm"].update(token="second"))
    ceremony(instance, officers, "restore")
    instance.start()
    all_sign(instance)
    authority.admit("turn-0-b", "turn-0", replaces="turn-0-a")
    all_sign(instance)
    # The resident keys went with the token, and nothing else is amiss.
    faults = [
        line
        for line in shirushi("keys", "audit", "--home", instance.home, check=False).stdout.splitlines()
        if line.startswith("FAULT")
    ]
    assert len(faults) == 5 and all("its key is not in the token" in line for line in faults), faults
    assert instance.audit_verifies()
    shirushi("hsm", "protocol", "verify", "--home", instance.home)


def test_a_restored_backup_does_not_revive_a_key_revoked_since(kept, officers, tmp_path):  # noqa: F811
    instance, authority = kept
    archive = tmp_path / "yesterday"
    shirushi("backup", "--home", instance.home, "--out", archive, "--keep-days", "7")
    # Since then one is revoked by its authority's list, and another deleted, which a backup could bring back.
    certificate = tmp_path / "turn-0-a.cer"
    shirushi("dev-ca", "revoke", "--home", instance.home, "--authority", "medis", "--certificate", certificate,
             "--reason", "keyCompromise")  # fmt: skip
    assert authority.deliver_list()["revoked"] == ["turn-0-a"]
    authority.act("turn-1-a", "revoke", {"reason": "superseded"})
    assert authority.act("turn-1-a", "destroy")["state"] == "destruction-pending"
    problem(instance.prescribe(documents.prescribing(), holder="turn-0"), "credential-unusable")
    assert instance.stop() == 0

    home = tmp_path / "restored"
    shirushi("restore", "--archive", archive, "--home", home, *present(officers, "Baba", "Aoki"))
    # The same token, whose PIN comes from the operator's safe; and the authorities' newest lists.
    shutil.copytree(instance.home / "hsm", home / "hsm", dirs_exist_ok=True)
    configuration = home / "hsm" / "softhsm2.conf"
    configuration.write_text(configuration.read_text().replace(str(instance.home), str(home)))
    shutil.copy2(instance.home / "secrets" / "hsm.pin", home / "secrets" / "hsm.pin")
    (home / "development" / "pki.json").write_bytes((instance.home / "development" / "pki.json").read_bytes())
    old = instance.home.with_name("lost")
    instance.home.rename(old)
    home.rename(instance.home)
    configuration = instance.home / "hsm" / "softhsm2.conf"
    configuration.write_text(configuration.read_text().replace(str(home), str(instance.home)))
    instance._tokens.clear()
    instance.start()

    again = Authority(instance, "medis", tmp_path)
    for holder in HOLDERS:
        facts = again.credential(f"{holder}-a")
        assert (facts["state"], facts["reason"]) == ("suspended", "certificateHold"), facts
        problem(instance.prescribe(documents.prescribing(), holder=holder), "credential-unusable")
    body = again.refused("wrong-state", "POST", "credentials/turn-0-a/resume", {})
    assert body["reasons"] == ["restored"]
    again.refused("wrong-state", "POST", "credentials/turn-2-a/resume", {})
    time.sleep(1)  # lists tell their time in whole seconds, and one of the recovery's own second may be older than it
    assert again.deliver_list()["revoked"] == ["turn-0-a"]
    again.refused("wrong-state", "POST", "credentials/turn-0-a/resume", {})
    problem(instance.prescribe(documents.prescribing(), holder="turn-0"), "credential-unusable")
    for holder in HOLDERS[2:]:
        assert again.act(f"{holder}-a", "resume")["state"] == "active"
    all_sign(instance, HOLDERS[2:])
    notes = [each["note"] for each in registry.story(instance, "turn-0") if each["kind"] == "administration"]
    assert notes[-2:] == [
        "suspended by a restore from backup", "revoked by the revocation list of its issuer: keyCompromise"
    ], notes  # fmt: skip
    registry.holds(instance)
