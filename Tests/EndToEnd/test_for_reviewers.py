"""docs/for-reviewers.md followed literally: each of its commands works, one after the other, in one folder."""

import os
import re
import subprocess

import contract
import documents
from instance import shirushi

PAGE = contract.ROOT / "docs" / "for-reviewers.md"


def commands():
    return re.findall(r"^    \$ (.*)$", PAGE.read_text(), re.MULTILINE)


def test_every_command_of_the_walk_through_works(fresh, tmp_path):
    fresh.start()
    answer = fresh.prescribe(documents.prescribing())
    assert answer.status_code == 200
    for holder in ("dentist-1", "nurse-1"):
        fresh.prescribe(documents.prescribing(), holder=holder)
    (tmp_path / "saved.checkpoint").write_text(shirushi("audit", "checkpoint", "--home", fresh.home).stdout)
    (tmp_path / "token").write_text(fresh.token("doctor-1"))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "shirushi").symlink_to(contract.BINARY)
    (tools / "verify-audit").symlink_to(contract.ROOT / "scripts" / "verify-audit")
    environment = {
        **os.environ,
        "home": str(fresh.home),
        "key": shirushi("audit", "keys", "--home", fresh.home).stdout.strip(),
        "PATH": f"{tools}:{contract.ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
    }
    assert len(commands()) >= 15
    for command in commands():
        # What the page's own instance was, this one is not.
        command = re.sub(r"localhost:8443/v1/signatures/[0-9a-f]{32}", self_of(fresh, answer), command)
        run = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, env=environment, cwd=tmp_path
        )
        # head closes the pipe early, and grep -c finds nothing where nothing is disclosed.
        assert run.returncode in ((0, 141) if "head" in command else (0,)), f"{command}\n{run.stdout}\n{run.stderr}"
        if "verify-audit" in command:
            assert "HOLDS" in run.stdout and "DOES NOT HOLD" not in run.stdout


def self_of(instance, answer):
    return f"localhost:{instance.port}/v1/signatures/{answer.json()['signatureId']}"
