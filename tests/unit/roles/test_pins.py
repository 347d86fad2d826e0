# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the roles install is of one version, and Renovate finds each of them with where new ones come from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from .conftest import ROOT

PINNED = re.compile(r"v?\d+\.\d+(\.\d+)?([-.@].+)?|[0-9a-f]{64}")


def pins() -> Iterator[tuple[str, str]]:
    """Yield every pin with the file that it is in."""
    for file in sorted(ROOT.glob("roles/*/vars/**/*.yml")):
        for name, value in (yaml.safe_load(file.read_text()) or {}).items():
            if name.endswith("_pins"):
                yield from ((str(file.relative_to(ROOT)), str(version)) for version in value.values())


def found() -> Iterator[tuple[str, str]]:
    """Yield what Renovate finds by its rule, with the file."""
    text = (ROOT / "renovate.json5").read_text()
    [matched] = re.findall(r"matchStrings: \[\n(.*?)\n +\],\n", text, re.DOTALL)
    [files] = re.findall(r'managerFilePatterns: \[("[^\n]+")\]', text)
    patterns = [json.loads(line.strip().rstrip(",")).replace("(?<", "(?P<") for line in matched.splitlines()]
    for file in sorted(ROOT.glob("roles/**/*.yml")):
        name = str(file.relative_to(ROOT))
        if re.search(json.loads(files).strip("/"), name):
            for one in (match for pattern in patterns for match in re.finditer(pattern, file.read_text())):
                version, digest = one["currentValue"], one["currentDigest"] or ""
                yield name, f"{version}@{digest}" if digest.startswith("sha256:") else version
                if digest and not digest.startswith("sha256:"):
                    yield name, digest


def test_renovate_finds_every_pin_with_its_digest() -> None:
    assert sorted(found()) == sorted(pins())


@pytest.mark.parametrize("version", sorted({version for _file, version in pins()}))
def test_a_pin_is_one_version(version: str) -> None:
    assert PINNED.fullmatch(version)
