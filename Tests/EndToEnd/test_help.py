"""What the command line says of itself: examples to copy, and what to do after a mistake."""

import json

from instance import shirushi

# ArgumentParser wraps at 80 columns, and what it wraps cannot be copied.
WIDEST = 76


def commands(command, path=()):
    """Every command that help shows, with its path."""
    path = (*path, command["commandName"])
    if command.get("shouldDisplay", True) and command["commandName"] not in ("help", "core", "front"):
        yield path, command
        for each in command.get("subcommands", []):
            yield from commands(each, path)


def test_every_command_has_examples_that_can_be_copied():
    seen = 0
    for path, command in commands(json.loads(shirushi("--experimental-dump-help").stdout)["command"]):
        discussion = command.get("discussion", "")
        _, title, examples = discussion.rpartition("EXAMPLE")
        assert title and f"  shirushi {' '.join(path[1:])}".rstrip() in examples, f"{path} shows no example of its own"
        inside = False
        for line in discussion.splitlines():
            indented = line.startswith("  ")
            if indented:
                assert len(line) <= WIDEST, f"{path}: {len(line)} columns: {line}"
                assert inside or line.startswith(("  shirushi ", "  printf ")), f"{path}: no backslash before: {line}"
            inside = indented and line.endswith("\\")
        shown = shirushi("help", *path[1:]).stdout
        for line in examples.splitlines():
            if line.startswith("  "):
                assert line in shown.splitlines(), f"{path}: help breaks: {line}"
        seen += 1
    assert seen > 30


def test_a_mistake_names_what_there_is(make_instance, tmp_path):
    instance = make_instance(options=("--key-type", "p-256"))

    def says(*arguments):
        run = shirushi(*arguments, check=False, environment={"SOFTHSM2_CONF": str(instance.home / "hsm/softhsm2.conf")})
        assert run.returncode == 1 and run.stderr.startswith("shirushi: "), run.stderr
        return run.stderr

    place = ("--home", instance.home)
    assert "no authority foo; it names jma, medis, jpa" in says("holders", "list", *place, "--authority", "foo")
    missing = tmp_path / "missing"
    assert "does not exist" in says("keys", "crl", missing, *place, "--authority", "medis")
    probe = ("hsm", "probe", "--module", "/usr/lib/softhsm/libsofthsm2.so", "--token", "scratch", "--pin-file")
    assert "does not exist" in says(*probe, missing)
    assert "no token is labelled scratch; the module shows shirushi" in says(*probe, instance.home / "secrets/hsm.pin")
    # A usual development instance has a wrapping key of its own: both say how to make one that the officers begin.
    said = says("backup", *place, "--out", tmp_path / "backup")
    assert "hsm init" in said and "--custody resident" in said and "secrets/hsm-officer.pin" in said
    assert "--custody resident" in says("hsm", "init", *place, "--officer", missing, "--officer", missing)
