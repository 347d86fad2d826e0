# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No function is longer than one sees at a glance; tables of data stand beside them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINES = 30


def longer_than(lines: int, folder: str) -> Iterator[str]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first, last = node.lineno, node.end_lineno or node.lineno
                if last - first >= lines:
                    yield f"{file.relative_to(ROOT)}: {node.name} has {last - first + 1}"


@pytest.mark.parametrize("folder", ["plugins", "lab"])
def test_no_function_is_longer_than_thirty_lines(folder: str) -> None:
    assert [*longer_than(LINES, folder)] == []
