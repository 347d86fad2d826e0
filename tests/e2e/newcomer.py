# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who has the README, a cluster and a Vault, and nothing else: an empty home, no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import readme
from ..conftest import ROOT, Lab, Run

# What the README asks GitHub for, which a test takes from this checkout.
COLLECTION_OF_GITHUB = "ansible-galaxy collection install git+https://github.com/fediverse/mastodon-kubernetes\n"
CHECKOUT_OF_GITHUB = "git clone https://github.com/fediverse/mastodon-kubernetes\n"
# These are where the README says they are looked for, and no settings.
FOUND_BY_THEMSELVES = ("kubeconfig:", "vault_token_file:")
CACHE = Path(os.environ.get("LAB_CACHE", "/var/cache/fediverse-mastodon-lab")) / "python"
# How this machine reaches its package registry, and where the lab keeps what it made.
OF_MACHINE = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "LAB_CACHE"))}


@dataclass(frozen=True)
class Newcomer:
    """`python` is the folder of the interpreter called python3, `inside` what a command is put into, such as a chroot."""

    home: Path
    python: Path = Path(sys.base_prefix) / "bin"
    inside: Sequence[str] = field(default=())

    @property
    def work(self) -> Path:
        """Where lines are typed: a folder with nothing but what they made there."""
        return self.home / "work"

    def type(self, lines: str, timeout: float = 1800) -> Run:
        """Type lines into a new shell, and return what is seen."""
        started = time.monotonic()
        self.work.mkdir(exist_ok=True)
        done = subprocess.run(
            [*self.inside, "bash", "-euo", "pipefail", "-c", f"cd {self.work}\n{lines}"],
            env=self.environment,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, time.monotonic() - started)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.python}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            **OF_MACHINE,
            # Else a version that came out today could fail the test of a change that has nothing to do with it.
            "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
            "PIP_CACHE_DIR": str(CACHE / "pip"),
        }

    def clone(self) -> Run:
        """Type the lines for a checkout, which here is a clone of this one."""
        lines, _ = readme.from_checkout()
        assert CHECKOUT_OF_GITHUB in lines
        return self.type(lines.replace(CHECKOUT_OF_GITHUB, f"git clone {ROOT} mastodon-kubernetes\n"))

    def install(self) -> Run:
        """Type the README's lines, which here install this checkout: it is packed as it is when it comes from GitHub or from Galaxy."""
        lines, _ = readme.from_galaxy()
        assert COLLECTION_OF_GITHUB in lines
        return self.type(lines.replace(COLLECTION_OF_GITHUB, f"ansible-galaxy collection install {ROOT}\n"))

    def fill_in(self, lab: Lab, folder: str = ".") -> None:
        """Give the inventory the lab's name and settings, and put kubeconfig and token where the README says."""
        (self.home / ".kube").mkdir(exist_ok=True)
        shutil.copy(lab.facts["kubeconfig"], self.home / ".kube/config")
        shutil.copy(lab.facts["vault_token_file"], self.home / ".vault-token")
        files = sorted((ROOT / "inventories/lab/group_vars/clusters").glob("*.yml"))
        settings = [line for file in files for line in file.read_text().splitlines(keepends=True)]
        settings = [line for line in settings if not line.startswith(("---", *FOUND_BY_THEMSELVES))]
        inventory = self.work / folder / "inventories/mine"
        hosts = (inventory / "hosts.yml").read_text()
        # As whose run the DNS records are marked.
        (inventory / "hosts.yml").write_text(hosts.replace("production:", "lab:"))
        (inventory / "group_vars/clusters.yml").write_text("".join(settings))
        (inventory / "group_vars/all.yml").write_text(f"lab: {(lab.state / 'lab.json').read_text()}")

    def run(self, command: str, folder: str = ".") -> Run:
        """Type one of the README's commands into a new shell."""
        return self.type(f". ~/mastodon/bin/activate\ncd {folder}\n{command}")
