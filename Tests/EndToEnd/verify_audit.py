"""Runs `scripts/verify-audit` as a reviewer does, and gives its parts to tests of them."""

import importlib.util
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader

import contract

SCRIPT = contract.ROOT / "scripts" / "verify-audit"


def load():
    loader = SourceFileLoader("verify_audit_script", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module  # dataclasses look their module up
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = keep
    return module


verifier = load()


@dataclass
class Run:
    code: int
    out: str
    err: str

    @property
    def faults(self):
        return [line for line in self.out.splitlines() if line.startswith("FAULT")]


def run(capsys, *arguments):
    """One run within this process; an exception that escapes fails the test."""
    capsys.readouterr()
    try:
        code = verifier.main([str(each) for each in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return Run(code, out, err)


def spawn(*arguments, stdin=None):
    """One run as a process of its own."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *(str(each) for each in arguments)], capture_output=True, input=stdin, check=False
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def assert_refused(result, pattern):
    """Exit 1 with a fault that the pattern finds, or exit 2 with one line; never a traceback."""
    assert result.code in (1, 2), result.out
    assert "Traceback" not in result.err and "HOLDS   " not in result.out.replace("DOES NOT HOLD", "")
    told = "\n".join(result.faults) if result.code == 1 else result.err
    assert result.code == 1 or (not result.faults and len(result.err.strip().splitlines()) == 1), result
    assert re.search(pattern, told), told
