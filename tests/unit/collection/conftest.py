# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as `ansible-galaxy collection build` packs it out of a checkout that is in use."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# What somebody who works in a checkout has in it.
OWN = (
    ".env",
    ".vault-token",
    "kubeconfig",
    "vault-token.txt",
    "inventories/mine/hosts.yml",
    "inventories/mine/group_vars/clusters.yml",
    "inventories/mine/group_vars/secrets.yml",
    "inventories/example/group_vars/secrets.yml",
    "inventories/example/host_vars/production.yml",
    "group_vars/all.yml",
    "playbooks/mine.yml",
    "playbooks/site.retry",
    "docs/notes.md",
    "roles/mastodon/.env",
    "roles/mastodon/files/kubeconfig",
    "plugins/modules/__pycache__/apply.cpython-311.pyc",
    "plugins/modules/.apply.py.swp",
    "plugins/modules/.apply.py",
    ".venv/lib/python3.11/site-packages/hvac/__init__.py",
    ".mypy_cache/3.11/cache.yml",
    ".ansible/collections/ansible_collections/other/thing/README.md",
    "tests/output/junit/result.yml",
    "mine.tar.gz",
)


@dataclass(frozen=True)
class Tarball:
    """What was packed, by name, and what of the checkout is under version control."""

    texts: dict[str, str]
    tracked: frozenset[str]

    @property
    def files(self) -> set[str]:
        return set(self.texts)


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Tarball:
    """Build the tarball out of a copy of the checkout in which somebody works."""
    folder = tmp_path_factory.mktemp("tarball")
    checkout, built = folder / "checkout", folder / "built"
    checkout.mkdir()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    names = [name for name in listed.decode().split("\0") if name and (ROOT / name).exists()]
    given = "\0".join(names).encode()
    subprocess.run(
        ["xargs", "-0", "cp", "--parents", "--no-dereference", "-t", checkout], cwd=ROOT, input=given, check=True
    )
    for name in OWN:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("a secret of mine\n")
    galaxy = str(Path(sys.executable).parent / "ansible-galaxy")
    subprocess.run(
        [galaxy, "collection", "build", str(checkout), "--output-path", str(built)], check=True, capture_output=True
    )
    (path,) = built.iterdir()
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        texts = {name: file.read().decode(errors="replace") for name, file in files.items() if file}
    return Tarball(texts, frozenset(names))
