# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of docs/examples: what runs on a lab printed, without what differs from one run to the next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "docs/examples"
# Five mistakes that settings alone do not show.
FAULTS: Mapping[str, object] = {
    "gateway_class": "nginx",
    "cnpg_cluster_storage_class": "fast",
    "external_dns_provider": "cloudflare",
    "mastodon_smtp_port": 25,
    "rook_backend": "external",
    "rook_external_endpoint": "http://s3.s3.svc.cluster.local:9000",
    "rook_external_bucket": "media",
}
# How the names of a pod end: a ReplicaSet's hash and five characters, in
# https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go of these letters.
LETTER = "[bcdfghjklmnpqrstvwxz2456789]"
POD = re.compile(rf"(Pod \S+?)(?:-{LETTER}{{8,10}})?-{LETTER}{{5}}(?=: )")
# Wherever the collection is.
PATH = re.compile(r"(?<=\s)/\S*?/(?=(?:playbooks|plugins|roles)/)")
# Where in a file an error was, as Ansible shows it.
PLACE = re.compile(r"^Origin: .*?\^ column \d+$", re.MULTILINE | re.DOTALL)
LAB = re.compile(r"\b10\.2\d\d\.(?=\d+\.\d+\b)")
WAITED = re.compile(r"^(waiting for .*? \(\d+)\d( s\): )", re.MULTILINE)
MADE = """\
Written by `UPDATE_DOCS=1 pytest tests/e2e/examples` from a run on the [lab][lab], whose names and addresses these are. It ran in a checkout;
the playbooks of an installed collection are `fediverse.mastodon.site` and `fediverse.mastodon.doctor`."""
LINKS = "[lab]: https://github.com/fediverse/mastodon-kubernetes/blob/main/lab/README.md"


@dataclass(frozen=True)
class Page:
    """One page: how it begins, and the command whose output it shows."""

    title: str
    text: str
    command: str

    def show(self, output: str) -> str:
        """Return the page for what the command printed."""
        parts = (f"# {self.title}", self.text, MADE, f"```console\n$ {self.command}\n{stable(output)}```", LINKS)
        return "\n\n".join(parts) + "\n"


PAGES = {
    "first-run": Page(
        "A first run",
        """On an empty cluster. Read it like this:

- `created …` and `configured …`: the run has just created or changed this object.
- `waiting for …`: this object is not ready yet, and why. This page keeps one such line for each object of a task.
- `skipping`: these settings do not need this task.
- "Verify that Mastodon answers" sends requests to Mastodon through the Gateway. The run fails if they are not answered. "A certificate that
  browsers do not know" is the lab's test authority; on your cluster it is Let's Encrypt's.
- The sums after it are connections to PostgreSQL: how many each part of Mastodon may open, and that there are enough. Then it says where
  everything is, and what to do next.""",
        "ansible-playbook -i inventories/lab site.yml",
    ),
    "second-run": Page(
        "A second run",
        """Right after the [first one](first-run.md). Each task compares what should be there with what is there; `changed=0` means that nothing
differed and nothing was written. A run at any later time is a check of the whole installation.""",
        "ansible-playbook -i inventories/lab site.yml",
    ),
    "doctor": Page(
        "A check that finds five faults",
        f"""Before the first run, with these settings in `faults.yml`:

```yaml
{yaml.safe_dump(dict(FAULTS), sort_keys=False)}```

Everything is checked before the run ends, and nothing is changed. Each row `failed` says what to do; `skipped` is what could not be
checked, with the reason. Ansible then shows the error of the task twice, so that the sentences are repeated.""",
        "ansible-playbook -i inventories/lab playbooks/doctor.yml -e @faults.yml",
    ),
}


def stable(output: str) -> str:
    """Return what a run printed without what differs in the next one: paths, addresses, random names, seconds."""
    text = LAB.sub("10.200.", POD.sub(r"\1-…", PATH.sub("", output)))
    text = WAITED.sub(r"\g<1>0\2", text)
    return once("\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n")


def once(text: str) -> str:
    """Return it with one line only for each object that a task waits for."""
    seen: set[str] = set()
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("TASK ["):
            seen.clear()
        waiting = line.partition(" (")[0] if line.startswith("waiting for ") else ""
        if waiting not in seen:
            kept.append(line)
        if waiting:
            seen.add(waiting)
    return "".join(kept)


def repeatable(page: str) -> list[str]:
    """Return the lines that are the same each time.

    What is waited for depends on how fast a machine is, and objects that need nothing of each other are created side by side.
    """
    lines = [line for line in PLACE.sub("", page).splitlines() if not line.startswith("waiting for ")]
    found: list[str] = []
    for created, some in groupby(lines, lambda line: line.startswith("created ")):
        block = list(some)
        found += sorted(block) if created else block
    return found
