# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lab/up`: from whatever is there to a running lab. Every step looks first and does what is missing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from mastodon_lab import host, inside, ipv6
from mastodon_lab.build import mirror, plan, remembered
from mastodon_lab.cluster import components, disk, health, network, node, pki
from mastodon_lab.cluster.lock import only_one
from mastodon_lab.errors import LabError
from mastodon_lab.files import write_private
from mastodon_lab.lab import ALL, CEPH, DOCKER, MACHINE, Lab
from mastodon_lab.parts import platform
from mastodon_lab.progress import Progress
from mastodon_lab.status import PartStatus

LINGER_SECONDS = 3.0
POLL_SECONDS = 0.1

START = "start the cluster"


def up(lab: Lab, progress: Progress) -> None:
    """Bring the lab up, or repair what is down. Raises LabError; what was done until then need not be done again."""
    way = node.of(lab)
    with only_one(lab):
        host.refuse_state(lab, made(lab), host.identity())
        way.refuse()
        if not way.running(lab):
            _prepare_host(lab, progress)
        built = remembered.recall(lab) or plan.ensure(lab, progress)
        progress.expect({START: 2, way.step: way.seconds})
        with progress.step(START):
            start(lab, built)
        remembered.remember(lab, built)
        with progress.step(way.step):
            _until(lambda: _trouble(health.check(lab)), way.patience)
        inside.link_programs(lab, built.programs)
        platform.deploy(lab, built, progress)
        _write_facts(lab, built.bin("kubectl"))


def build(lab: Lab, progress: Progress) -> None:
    """Build what a lab is made of, and start nothing: whether one runs does not matter."""
    _install(lab, progress)
    plan.ensure(lab, progress)


def start(lab: Lab, built: plan.Built) -> None:
    """Create configuration and namespaces and make sure that the right components run."""
    way = node.of(lab)
    write_state(lab)
    mirror.publish(built.mirror, built.images, lab.mirror)
    components.save(lab, way.components(lab, lambda name: built.programs.get(name) or host.needed(name)))
    if lab.has(CEPH):
        disk.attach(lab)
    network.connect(lab, way.start(lab, built.programs.get("kind")))


def made(lab: Lab) -> host.Made | None:
    """What the state folder says of its making; None when there is no state."""
    try:
        noted = json.loads(lab.made.read_text())
        # Labs from before parts could be chosen have them all.
        parts = frozenset(noted["parts"]) if "parts" in noted else frozenset({ALL})
        return host.Made(str(noted["identity"]), int(noted["index"]), parts, noted.get("way", MACHINE))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(f"{lab.made}: not readable: {error}. Remove {lab.state} to begin anew.") from error


def _prepare_host(lab: Lab, progress: Progress) -> None:
    """Refuse what can't work, install the distribution's packages, then refuse what only they can see."""
    _install(lab, progress)
    network.lingers(lab, LINGER_SECONDS)
    host.refuse_routes(network.routes(), lab)
    host.refuse_namesake(lab)
    host.refuse_kernel()


def _install(lab: Lab, progress: Progress) -> None:
    machine = host.examine(lab)
    host.refuse(machine, lab, cold=not plan.was_built(lab))
    if machine.missing_packages:
        with progress.step(f"install {', '.join(machine.missing_packages)}"):
            host.install(machine.missing_packages)


def write_state(lab: Lab) -> None:
    """Write what must be there before anything is started."""
    for folder in (lab.state, lab.log, lab.run, lab.volumes):
        folder.mkdir(parents=True, exist_ok=True)
    lab.state.chmod(0o700)
    noted = {"identity": host.identity(), "index": lab.index, "parts": sorted(lab.parts), "way": lab.way}
    write_private(lab.made, json.dumps(noted))
    pki.ensure(lab)
    node.of(lab).write(lab, host.cni_plugins())


def _write_facts(lab: Lab, kubectl: Path) -> None:
    """What inventories and tests read; its presence says that the lab was up once, wholly."""
    facts = {
        "kubeconfig": str(lab.kubeconfig),
        "kubectl": str(kubectl),
        "vault_address": lab.openbao_url,
        "vault_token_file": str(lab.vault_token),
        "mirror": "" if lab.way == DOCKER else lab.mirror_url,
        "gateway_address": lab.gateway_ip,
        "gateway_addresses": ipv6.gateways(lab),
        "dns_address": lab.dns_ip,
        "ceph_disk": str(lab.disk) if lab.has(CEPH) else "",
        "ceph_folder": str(lab.ceph),
        **platform.facts(lab),
    }
    write_private(lab.facts, json.dumps(facts, indent=1))


def _trouble(parts: Iterable[PartStatus]) -> str:
    return next((f"{part.name}: {part.reason}" for part in parts if not part.ready), "")


def _until(trouble: Callable[[], str], seconds: float) -> None:
    """Wait until there is no trouble any more. Raises LabError with the last one when it lasts too long."""
    deadline = time.monotonic() + seconds
    while reason := trouble():
        if time.monotonic() >= deadline:
            raise LabError(f"The cluster is not ready after {seconds:.0f} s: {reason}. Run lab/up again to go on.")
        time.sleep(POLL_SECONDS)
