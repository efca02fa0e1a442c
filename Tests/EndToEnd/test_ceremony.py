"""Two officers: the first ceremony, a new epoch, a lost token, a backup made while serving, a restored instance."""

import json
import signal
import sqlite3
import stat

import pytest

import contract
import documents
from instance import shirushi


@pytest.fixture(scope="session")
def officers(tmp_path_factory):
    """Three officers' files and passphrases, by name."""
    folder = tmp_path_factory.mktemp("officers")
    made = {}
    for name in ("Aoki", "Baba", "Chiba"):
        words = folder / f"{name}.passphrase"
        words.write_text(f"several quiet words of {name}\n")
        words.chmod(0o600)
        file = folder / f"{name}.officer"
        shirushi("hsm", "officer", "--name", name, "--out", file, "--passphrase-file", words)
        made[name] = (file, words)
    return made


@pytest.fixture
def fresh(make_instance):
    """An instance without a wrapping key: the officers make its first."""
    return make_instance(options=("--custody", "resident", "--key-type", "p-256"))


def present(officers, *names):
    """The options that bring these officers to a command."""
    options = []
    for name in names:
        options += ["--officer", officers[name][0], "--passphrase-file", officers[name][1]]
    return options


def begin(instance, officers, *names):
    """The first ceremony on a development instance, whose token is initialised already."""
    pin = instance.home / "secrets" / "hsm-officer.pin"
    return shirushi(
        "hsm",
        "init",
        "--home",
        instance.home,
        "--officer-pin-file",
        pin,
        *present(officers, *(names or ("Aoki", "Baba"))),
        environment=instance.environment,
    )


def refused(instance, *arguments):
    run = shirushi(*arguments, check=False, environment=instance.environment)
    assert run.returncode != 0 and run.stdout == "", run.stdout
    return run.stderr


class TestCeremony:
    def test_an_officers_file_is_private_and_never_overwritten(self, officers):
        file, words = officers["Aoki"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        before = file.read_bytes()
        again = shirushi("hsm", "officer", "--name", "Aoki", "--out", file, "--passphrase-file", words, check=False)
        assert again.returncode != 0 and file.read_bytes() == before

    def test_one_officer_is_not_two(self, fresh, officers):
        said = refused(fresh, "hsm", "init", "--home", fresh.home, *present(officers, "Aoki", "Aoki"))
        assert "two different officers" in said
        said = refused(fresh, "hsm", "init", "--home", fresh.home, *present(officers, "Aoki"))
        assert "two different officers" in said
        assert not (fresh.home / "custody").exists()

    def test_the_first_ceremony_is_signed_and_happens_once(self, fresh, officers):
        run = begin(fresh, officers)
        assert "epoch 1" in run.stdout and "fingerprint" in run.stderr
        # This instance's keys are resident, so the new wrapping key does nothing yet.
        assert "set keys.mode to wrapped" in run.stdout, run.stdout
        verified = shirushi("hsm", "protocol", "verify", "--home", fresh.home)
        assert "Aoki and Baba" in verified.stdout and "shirushi wrapping 1" in verified.stdout
        (file,) = (fresh.home / "custody" / "protocols").iterdir()
        assert "1 protocols hold" in shirushi("hsm", "protocol", "verify", file.name, "--home", fresh.home).stdout
        text = file.read_text()
        file.write_text(text.replace("shirushi wrapping 1", "shirushi wrapping 9"))
        assert "does not hold" in refused(fresh, "hsm", "protocol", "verify", file, "--home", fresh.home)
        file.write_text(text)
        again = refused(
            fresh, "hsm", "init", "--home", fresh.home,
            "--officer-pin-file", fresh.home / "secrets" / "hsm-officer.pin", *present(officers, "Aoki", "Baba"),
        )  # fmt: skip
        assert "hsm epoch" in again

    def test_a_stranger_is_refused_and_so_is_a_ceremony_while_serving(self, fresh, officers):
        begin(fresh, officers)
        epoch = ("hsm", "epoch", "--home", fresh.home)
        assert "Chiba is not registered" in refused(fresh, *epoch, *present(officers, "Aoki", "Chiba"))
        fresh.start()
        words = ("hsm", "restore", "--home", fresh.home, *present(officers, "Aoki", "Baba"))
        assert "being served" in refused(fresh, *words)

    def test_a_lost_token_is_replaced_with_the_same_wrapping_keys(self, fresh, officers):
        begin(fresh, officers, "Aoki", "Baba", "Chiba")
        run = shirushi(
            "hsm", "epoch", "--home", fresh.home, *present(officers, "Baba", "Aoki"), environment=fresh.environment
        )
        assert "epoch 2" in run.stdout
        fresh.configure(lambda settings: settings["hsm"].update(token="second"))
        run = shirushi(
            "hsm", "restore", "--home", fresh.home, *present(officers, "Chiba", "Aoki"), environment=fresh.environment
        )
        made = [json.loads(path.read_text())["record"] for path in (fresh.home / "custody" / "protocols").iterdir()]
        made.sort(key=lambda record: record["number"])
        assert [record["what"] for record in made] == ["initialise", "epoch", "restore-token"]
        first = {key["id"]: key for record in made[:2] for key in record["keys"]}
        assert {key["id"]: key for key in made[2]["keys"]} == first
        for key in first.values():
            assert key["checkValue"] in run.stdout
        assert made[2]["token"]["serial"] != made[0]["token"]["serial"]
        shirushi("hsm", "protocol", "verify", "--home", fresh.home)


def act(instance, officers, *arguments, check=True, failpoint=None):
    """A ceremony of Aoki and Baba; with a failpoint, one that is killed there."""
    words = ("--home", instance.home, *present(officers, "Aoki", "Baba"))
    environment = {**instance.environment, **({"SHIRUSHI_FAILPOINT": failpoint} if failpoint else {})}
    return shirushi("hsm", *arguments, *words, check=check and not failpoint, environment=environment)


def epochs(instance):
    """The registry's wrapping keys: number and state."""
    with sqlite3.connect(contract.database(instance.home)) as database:
        return database.execute("SELECT epoch, state FROM wrapping_epoch ORDER BY epoch").fetchall()


def ceremonies(instance):
    folder = instance.home / "custody" / "protocols"
    records = [json.loads(path.read_text())["record"] for path in folder.iterdir()] if folder.exists() else []
    return [record["what"] for record in sorted(records, key=lambda record: record["number"])]


class TestFaults:
    """What a fault leaves of a ceremony, the same command completes."""

    def test_a_ceremony_that_the_log_would_not_take_touches_nothing(self, fresh, officers):
        first = ("init", "--officer-pin-file", fresh.home / "secrets" / "hsm-officer.pin")
        head = fresh.home / "data" / "audit.head"
        away = head.with_name("elsewhere")
        for words, done in ((first, []), (("epoch",), ["initialise"])):
            head.rename(away)
            run = act(fresh, officers, *words, check=False)
            assert run.returncode == 1 and "the audit log cannot be read" in run.stderr, run.stderr
            assert ceremonies(fresh) == done
            assert not (fresh.home / "custody" / "envelopes" / f"wrapping-{len(done) + 1}.json").exists()
            away.rename(head)
            act(fresh, officers, *words)
        assert epochs(fresh) == [(1, "retiring"), (2, "current")]
        head.rename(away)
        run = act(fresh, officers, "retire", "--epoch", "1", check=False)
        assert run.returncode == 1 and ceremonies(fresh) == ["initialise", "epoch"], run.stderr
        away.rename(head)
        act(fresh, officers, "retire", "--epoch", "1")
        assert epochs(fresh) == [(1, "retired"), (2, "current")] and fresh.audit_verifies()

    def test_what_was_signed_and_not_recorded_is_recorded_by_the_same_command(self, fresh, officers):
        first = ("init", "--officer-pin-file", fresh.home / "secrets" / "hsm-officer.pin")
        steps = (
            (first, [], [(1, "current")]),
            (("epoch",), [(1, "current")], [(1, "retiring"), (2, "current")]),
            (("retire", "--epoch", "1"), [(1, "retiring"), (2, "current")], [(1, "retired"), (2, "current")]),
        )
        for number, (words, before, after) in enumerate(steps, 1):
            killed = act(fresh, officers, *words, failpoint="ceremony.signed")
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            assert len(ceremonies(fresh)) == number and epochs(fresh) == before
            again = act(fresh, officers, *words)
            assert "earlier ceremony" in again.stdout, again.stdout
            assert ceremonies(fresh) == ["initialise", "epoch", "retire"][:number] and epochs(fresh) == after
        assert fresh.audit_verifies()
        fresh.start()
        assert shirushi("keys", "audit", "--home", fresh.home).returncode == 0

    def test_another_ceremony_records_it_too(self, fresh, officers):
        first = ("init", "--officer-pin-file", fresh.home / "secrets" / "hsm-officer.pin")
        act(fresh, officers, *first, failpoint="ceremony.signed")
        act(fresh, officers, "epoch")
        assert ceremonies(fresh) == ["initialise", "epoch"] and epochs(fresh) == [(1, "retiring"), (2, "current")]

    def test_a_registry_that_contradicts_the_protocols_is_left_alone(self, fresh, officers):
        begin(fresh, officers)
        with sqlite3.connect(contract.database(fresh.home)) as database:
            database.execute("UPDATE wrapping_epoch SET key_id = x'00'")
        run = act(fresh, officers, "epoch", check=False)
        assert run.returncode == 1 and "different wrapping keys for epoch 1" in run.stderr, run.stderr
        assert ceremonies(fresh) == ["initialise"]

    def test_a_refused_pin_is_not_kept(self, fresh, officers, tmp_path):
        wrong = tmp_path / "wrong.pin"
        wrong.write_text("0123456789abcdef")
        wrong.chmod(0o600)
        # Whether the module crashes at the end of a process is a matter of luck.
        for _ in range(3):
            run = act(fresh, officers, "init", "--officer-pin-file", wrong, check=False)
            assert run.returncode == 1 and "nothing was kept" in run.stderr, (run.returncode, run.stderr)
            assert list((fresh.home / "custody" / "envelopes").iterdir()) == []
        run = act(fresh, officers, "init", check=False)
        assert run.returncode == 1 and "--officer-pin-file" in run.stderr, run.stderr
        begin(fresh, officers)

    def test_a_registry_that_cannot_be_read_is_not_called_a_broken_log(self, fresh, officers):
        begin(fresh, officers)
        with sqlite3.connect(contract.database(fresh.home)) as database:
            database.execute("UPDATE wrapping_epoch SET state = 'unheard-of'")
        said = refused(fresh, "keys", "rotation", "--home", fresh.home)
        assert "The registry cannot be read." in said and "evidence" not in said, said

    def test_an_epoch_that_is_not_there_is_not_retired(self, fresh, officers):
        begin(fresh, officers)
        run = act(fresh, officers, "retire", "--epoch", "7", check=False)
        assert run.returncode == 1 and "there is no epoch 7" in run.stderr, run.stderr


class TestBackup:
    def test_without_officers_there_is_no_backup(self, fresh, tmp_path):
        assert "hsm init" in refused(fresh, "backup", "--home", fresh.home, "--out", tmp_path / "backup")
        assert not (tmp_path / "backup").exists()

    def test_a_backup_made_while_serving_restores_and_is_marked(self, fresh, officers, tmp_path):
        begin(fresh, officers)
        fresh.start()
        fresh.prescribe(documents.prescribing())
        archive = tmp_path / "backup"
        made = shirushi("backup", "--home", fresh.home, "--out", archive, "--keep-days", "7")
        fresh.prescribe(documents.prescribing())
        fresh.stop()
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
        content = archive.read_bytes()
        for secret in (fresh.home / "secrets").iterdir():
            assert secret.read_bytes().strip() not in content
        assert "already" in refused(fresh, "backup", "--home", fresh.home, "--out", archive)
        home = tmp_path / "restored"
        restore = ("restore", "--archive", archive, "--home", home)
        shirushi(*restore, *present(officers, "Baba", "Aoki"))
        mark = json.loads((home / "data" / "restored").read_text())
        assert mark["treeSize"] > 0 and mark["treeRoot"] in made.stdout and mark["officers"] == ["Baba", "Aoki"]
        assert f"{mark['treeSize']} records" in shirushi("audit", "verify", "--home", home).stdout
        assert not (home / "secrets" / "hsm.pin").exists() and not (home / "secrets" / "hsm-officer.pin").exists()
        assert (home / "secrets" / "admin.key").read_bytes() != (fresh.home / "secrets" / "admin.key").read_bytes()
        assert (home / "secrets" / "log.key").read_bytes() == (fresh.home / "secrets" / "log.key").read_bytes()
        with sqlite3.connect(contract.database(home)) as there, sqlite3.connect(contract.database(fresh.home)) as here:
            count = "SELECT count(*) FROM signature"
            assert there.execute(count).fetchone()[0] == here.execute(count).fetchone()[0] - 1
        assert "restore-instance" in shirushi("hsm", "protocol", "verify", "--home", home).stdout
        with sqlite3.connect(contract.database(fresh.home)) as here:
            assert here.execute("SELECT count(*) FROM backup").fetchone() == (1,)
        # What the restore prints as the next step works: a development instance's token is made anew.
        two = present(officers, "Aoki", "Baba")
        lost = shirushi("hsm", "restore", "--home", home, *two, environment=fresh.environment)
        assert f"shirushi serve --home {home}" in lost.stdout and (home / "secrets" / "hsm.pin").exists()
        shirushi("serve", "--home", home, "--check", environment=fresh.environment)
        assert "not empty" in refused(fresh, *restore, *present(officers, "Baba", "Aoki"))

    def test_what_was_altered_or_is_not_theirs_leaves_no_home(self, fresh, officers, tmp_path):
        begin(fresh, officers)
        archive = tmp_path / "backup"
        shirushi("backup", "--home", fresh.home, "--out", archive)
        home = tmp_path / "restored"
        restore = ("restore", "--archive", archive, "--home", home)
        assert "does not open" in refused(fresh, *restore, *present(officers, "Aoki", "Chiba"))
        whole = archive.read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        for altered in (whole[:-1], whole + b"\0", bytes(flipped)):
            archive.write_bytes(altered)
            refused(fresh, *restore, *present(officers, "Aoki", "Baba"))
            assert not home.exists() and not home.with_name("restored.restoring").exists()
        archive.write_bytes(whole)
        shirushi(*restore, *present(officers, "Aoki", "Baba"))

    def test_a_log_that_does_not_hold_gives_no_backup(self, fresh, officers, tmp_path):
        begin(fresh, officers)
        fresh.start()
        fresh.prescribe(documents.prescribing())
        fresh.stop()
        with sqlite3.connect(contract.database(fresh.home)) as database:
            database.execute("DELETE FROM audit_entry WHERE sequence = (SELECT max(sequence) FROM audit_entry)")
        said = refused(fresh, "backup", "--home", fresh.home, "--out", tmp_path / "backup")
        assert "are missing" in said and not (tmp_path / "backup").exists()
