# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For people who look into a lab: the commands that show a part's log and that open a shell with everything set."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mastodon_lab.cluster import components
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts.catalogue import PARTS

LINES = 500
# Of all that is built, what people call by hand.
TOOLS = ("kubectl", "bao", "helm")
# The host's own file stays: only what runs in this shell resolves names as the lab's pods do.
_WITH_LAB_DNS = 'mount --no-mtab --bind "$0" /etc/resolv.conf && exec "$@"'


def log_command(lab: Lab, name: str, *, follow: bool) -> tuple[str, ...]:
    """The command that prints the end of the log of a component or a part. Raises LabError for a name there isn't."""
    processes = [component.name for component in components.load(lab)]
    if name in processes:
        return ("tail", f"--lines={LINES}", *(("--follow=name", "--retry") if follow else ()), f"{lab.log}/{name}.log")
    workloads = {part.key: part.workload.split("/") for part in PARTS if lab.has(part.key)}
    if name not in workloads:
        close = difflib.get_close_matches(name, [*processes, *workloads], n=1)
        meant = f"Did you mean {close[0]}?" if close else "Choose one of these."
        raise LabError(f"Nothing in the lab is called {name}: there are {', '.join([*processes, *workloads])}. {meant}")
    namespace, kind, workload = workloads[name]
    words = (f"--namespace={namespace}", f"{kind}/{workload}", "--all-containers", f"--tail={LINES}")
    kubectl = (str(lab.bin / "kubectl"), f"--kubeconfig={lab.kubeconfig}", "logs", *words)
    return (*kubectl, "--follow") if follow else kubectl


def shell_command(lab: Lab, command: Sequence[str]) -> tuple[str, ...]:
    """The command that runs `command`, or else the user's shell, where names resolve as in the lab."""
    wanted = tuple(command) or (os.environ.get("SHELL") or "/bin/sh",)
    return ("unshare", "--mount", "sh", "-c", _WITH_LAB_DNS, str(lab.etc / "shell/resolv.conf"), *wanted)


def shell_environment(lab: Lab) -> Mapping[str, str]:
    """What kubectl, bao and Ansible need to find the lab, over the caller's own environment."""
    token = lab.vault_token.read_text().strip() if lab.has("openbao") else ""
    return {
        **os.environ,
        "LAB_NAME": lab.name,
        "LAB_STATE": str(lab.state),
        "PATH": f"{lab.bin}:{os.environ.get('PATH', os.defpath)}",
        "KUBECONFIG": str(lab.kubeconfig),
        "VAULT_ADDR": lab.openbao_url,
        "VAULT_TOKEN": token,
        "BAO_ADDR": lab.openbao_url,
        "BAO_TOKEN": token,
    }


def link_programs(lab: Lab, programs: Mapping[str, Path]) -> None:
    """Put those of these programs that people use into the lab's own folder for them."""
    lab.bin.mkdir(exist_ok=True)
    for name in programs.keys() & TOOLS:
        fresh = lab.bin / f".{name}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(programs[name])
        fresh.replace(lab.bin / name)
