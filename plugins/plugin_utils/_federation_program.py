# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds `federation-check.pyz`, of the files that the module has and no others, and of dnspython, which is Python alone.

It knows nothing of the collection but where its files are, so that the builder beside the program can run it by itself.
"""

from __future__ import annotations

import ast
import io
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

COLLECTION = Path(__file__).resolve().parents[2]
HERE = COLLECTION / "extensions" / "federation_check"
PACKAGE = "ansible_collections.fediverse.mastodon"
# Before anything is imported that an older one cannot read.
START = """import sys

if sys.version_info < (3, 11):
    sys.exit(f"Python {sys.executable}: is too old: it is {sys.version.split()[0]}. Use Python 3.11 or newer.")

from federation_check import main

sys.exit(main(sys.argv[1:]))
"""


def imported(file: Path) -> Iterator[Path]:
    """Yield the collection's files that one imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            place = COLLECTION.joinpath(*(node.module or "").removeprefix(f"{PACKAGE}.").split("."))
            # Names of a file, or files of a folder.
            yield from (
                [place.with_suffix(".py")] if not place.is_dir() else [place / f"{one.name}.py" for one in node.names]
            )


def needed(file: Path) -> set[Path]:
    """Return a file with all that it comes to import."""
    found: set[Path] = set()
    left = [file]
    while left:
        if (one := left.pop()) not in found:
            found.add(one)
            left += imported(one)
    return found


def add_library(name: str, package: str, folder: Path) -> None:
    """Copy a library that is Python alone out of the Python that runs this, with its licence."""
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        sys.exit(f"Python {sys.executable}: {name} missing. Install it: {sys.executable} -m pip install {name}.")
    for file in files:
        if (file.parts[0] == package and file.suffix in (".py", ".typed")) or "license" in str(file).lower():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), target)


def build(target: Path) -> None:
    """Write the archive."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copyfile(HERE / "main.py", folder / "federation_check.py")
        (folder / "__main__.py").write_text(START, encoding="utf-8")
        for file in needed(HERE / "main.py") - {HERE / "main.py"}:
            place = folder.joinpath(*PACKAGE.split("."), file.relative_to(COLLECTION))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        for place in [*folder.glob("ansible_collections/**/")]:
            # A package of that name that is installed as well, such as Ansible's, would come before one without.
            (place / "__init__.py").touch()
        shutil.copyfile(COLLECTION / "LICENSE", folder / "LICENSE")
        add_library("dnspython", "dns", folder)
        target.write_bytes(b"#!/usr/bin/env python3\n" + _packed(folder))
        target.chmod(0o755)


def _packed(folder: Path) -> bytes:
    """Return the archive of a folder, which is the same each time, so that who has it need not take it again."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.writestr(zipfile.ZipInfo(str(path.relative_to(folder))), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


@cache
def program() -> bytes:
    """Return the archive."""
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "federation-check.pyz"
        build(target)
        return target.read_bytes()


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "federation-check.pyz"))
