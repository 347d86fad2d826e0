# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that is a container of kind's in this machine's own Docker. All that is on it comes from the internet."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mastodon_lab.cluster import disk
from mastodon_lab.cluster.components import Component
from mastodon_lab.cluster.kind import config
from mastodon_lab.errors import LabError
from mastodon_lab.files import write_private
from mastodon_lab.lab import CEPH, Lab


class InDocker:
    """See Node. Its network namespace is the container's."""

    step = "wait for kind's node"
    seconds = 60.0
    patience = 300.0
    api = ""

    def name(self, lab: Lab) -> str:
        return config.node_name(lab)

    def write(self, lab: Lab, cni_plugins: Path) -> None:
        config.write(lab)

    def components(self, lab: Lab, program: Callable[[str], Path]) -> tuple[Component, ...]:
        return ()

    def network(self, lab: Lab) -> tuple[str, ...]:
        return ()

    def kubelet_since(self, lab: Lab, doing: Mapping[str, Any]) -> float | None:
        return config.node_since(lab)

    def refuse(self) -> None:
        try:
            _docker("version", "--format={{.Server.Version}}")
        except LabError as error:
            raise LabError(
                f"Docker does not run on this machine ({error}): start it, or use the lab's own Docker, which needs none here "
                "and no internet (lab/up --on kind; in Molecule, leave KIND_INVENTORY out)."
            ) from None

    def running(self, lab: Lab) -> bool:
        try:
            return _pid(lab) > 0
        except LabError:
            return False

    def start(self, lab: Lab, kind: Path | None) -> int:
        """Make the node, or start it. One that was whole once is never made anew: its volumes are somebody's."""
        name, whole = config.node_name(lab), config.whole_file(lab)
        if not whole.exists():
            self._make(lab, str(kind))
            whole.touch()
        _docker("start", name)
        if lab.has(CEPH):
            _docker("exec", name, *disk.made_in_node(lab))
        started = datetime.fromisoformat(_docker("inspect", "--format={{.State.StartedAt}}", name))
        write_private(config.started_file(lab), str(started.timestamp()))
        pid = _pid(lab)
        # The API server's, as the lab's own certificates and kubeconfig know it.
        _asked("nsenter", f"--target={pid}", "--net", "ip", "address", "replace", f"{lab.node_ip}/32", "dev", "lo")
        return pid

    def _make(self, lab: Lab, kind: str) -> None:
        begun = config.begun_file(lab)
        begun.parent.mkdir(exist_ok=True)
        if config.node_name(lab) in _docker("ps", "--all", "--format={{.Names}}").split():
            if not begun.exists():
                raise LabError(
                    f"Docker has a container {config.node_name(lab)} which this lab did not make: remove it, or choose another --name."
                )
            self.remove(lab)
        begun.touch()
        given = (f"--config={config.cluster_file(lab)}", f"--kubeconfig={lab.run}/kind.kubeconfig")
        _kind(lab.log / "kind.log", kind, "create", "cluster", *given)

    def stop(self, lab: Lab) -> None:
        if self.running(lab):
            _docker("stop", config.node_name(lab))

    def remove(self, lab: Lab) -> None:
        # As `kind delete cluster` does.
        if config.begun_file(lab).exists():
            _docker("rm", "--force", "--volumes", config.node_name(lab))


def _kind(log: Path, *command: str) -> None:
    """Call kind, which says on many lines how it gets on, and why not."""
    with log.open("w") as said:
        failed = subprocess.run(command, stdout=said, stderr=said, check=False).returncode
    if failed:
        reason = next((line for line in log.read_text().splitlines() if line.startswith("ERROR: ")), "it said nothing")
        raise LabError(f"kind made no cluster: {reason.removeprefix('ERROR: ')}. See {log}; run lab/up again to go on.")


def _pid(lab: Lab) -> int:
    """The node's first process as this machine knows it, 0 when it does not run."""
    return int(_docker("inspect", "--format={{.State.Pid}}", config.node_name(lab)))


def _docker(*words: str) -> str:
    return _asked("docker", *words)


def _asked(*command: str) -> str:
    """What it prints. Raises LabError with its last words."""
    called = f"`{Path(command[0]).name} {command[1]}`"
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise LabError(f"{called} could not be called: {error.strerror}") from error
    if done.returncode:
        raise LabError(f"{called} failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return done.stdout.strip()
