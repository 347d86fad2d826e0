# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No function is longer than one sees at a glance, and no file than one reads in one go; tables of data stand beside them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINES = 30
LINES_OF_A_FILE = 250


@cache
def parsed(folder: str) -> dict[str, ast.Module]:
    files = sorted((ROOT / folder).rglob("*.py"))
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def functions_longer_than(lines: int, folder: str) -> Iterator[str]:
    for name, module in parsed(folder).items():
        for node in ast.walk(module):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and length(node) > lines:
                yield f"{name}: {node.name} has {length(node)}"


def files_longer_than(lines: int, folder: str) -> Iterator[str]:
    """Yield them by what is in them beside assignments, such as options, causes, and the documentation of modules."""
    for name, module in parsed(folder).items():
        tables = sum(length(node) for node in module.body if isinstance(node, (ast.Assign, ast.AnnAssign)))
        whole = module.body[-1].end_lineno if module.body else 0
        if (whole or 0) - tables > lines:
            yield f"{name} has {(whole or 0) - tables}"


@pytest.mark.parametrize("folder", ["plugins", "lab"])
def test_no_function_is_longer_than_thirty_lines(folder: str) -> None:
    assert [*functions_longer_than(LINES, folder)] == []


@pytest.mark.parametrize("folder", ["plugins", "lab"])
def test_no_file_is_longer_than_250_lines_beside_its_tables(folder: str) -> None:
    assert [*files_longer_than(LINES_OF_A_FILE, folder)] == []
