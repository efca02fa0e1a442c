"""Every row of the catalogue of behaviours that belongs to login is quoted by a test."""

import ast
import re
from pathlib import Path

ROWS = (
    {f"T{number}" for number in range(1, 11)}
    | {"L4", "L5", "L6", "L7", "L8", "L9", "L10", "L11", "O1", "X8", "X9"}
    | {"E18", "E20", "F1", "F2", "F4", "F5", "F6", "F11", "F17", "F18", "F19", "F20", "F21"}
)
FILES = sorted(Path(__file__).parent.glob("test_oidc_*.py")) + sorted(Path(__file__).parent.glob("test_card_*.py"))


def quoted():
    """The rows that the docstrings of tests name, with the tests."""
    found = {}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for row in re.findall(r"\b[A-Z]\d{1,2}\b", ast.get_docstring(node) or ""):
                    found.setdefault(row, set()).add(f"{file.name}::{node.name}")
    return found


def test_every_row_is_quoted():
    assert ROWS - quoted().keys() == set()


def test_no_test_quotes_a_row_that_there_is_not():
    assert {row: tests for row, tests in quoted().items() if row not in ROWS} == {}
