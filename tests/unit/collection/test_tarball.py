# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published: all that the collection needs, and nothing else."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import yaml

from .conftest import OWN, Tarball

# Written by `ansible-galaxy collection build`.
BUILT = {"MANIFEST.json", "FILES.json"}
# What a run of the collection reads.
NEEDED = ("meta", "playbooks", "plugins", "roles")
LINK = re.compile(r"\]\(([^)\s#]+)[^)]*\)")


def test_nothing_of_the_checkouts_owner_is_packed(tarball: Tarball) -> None:
    assert tarball.files & set(OWN) == set()
    assert tarball.files - BUILT <= tarball.tracked


def test_all_that_a_run_reads_is_packed(tarball: Tarball) -> None:
    assert {
        name for name in tarball.tracked if name.startswith(tuple(f"{folder}/" for folder in NEEDED))
    } <= tarball.files
    assert {"README.md", "LICENSE", "requirements.txt", "changelogs/changelog.yaml"} <= tarball.files
    assert {name for name in tarball.tracked if name.startswith("inventories/example/")} <= tarball.files


def test_nothing_that_needs_the_lab_is_packed(tarball: Tarball) -> None:
    assert {PurePosixPath(name).parts[0] for name in tarball.files - BUILT} == {
        *NEEDED,
        "LICENSE",
        "README.md",
        "changelogs",
        "docs",
        "extensions",
        "inventories",
        "requirements.txt",
    }
    assert [name for name in tarball.files if name.startswith("extensions/molecule")] == []


def test_every_link_leads_to_what_is_packed(tarball: Tarball) -> None:
    folders = {str(parent) for name in tarball.files for parent in PurePosixPath(name).parents}
    for page in sorted(name for name in tarball.files if name.endswith(".md")):
        for target in LINK.findall(tarball.texts[page]):
            if "://" not in target:
                assert leads_to(page, target) in tarball.files | folders, f"{page}: {target}"


def leads_to(page: str, target: str) -> str:
    """Return the path in the collection that a page's link leads to."""
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / target).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def test_the_playbooks_name_no_folder_of_a_checkout(tarball: Tarball) -> None:
    for name, text in tarball.texts.items():
        if name.startswith(("playbooks/", "roles/", "plugins/")):
            assert re.findall(r"\b(?:lab|tests|extensions)/[a-z_]+", text) == [], name


def test_an_execution_environment_gets_the_packages_in_ranges(tarball: Tarball) -> None:
    needs = yaml.safe_load(tarball.texts["meta/execution-environment.yml"])
    assert needs["version"] == 1
    lines = tarball.texts[needs["dependencies"]["python"]].splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in packages if not re.fullmatch(r"[\w-]+>=[\d.]+", line)] == []
