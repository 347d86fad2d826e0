# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workloads hold a Secret in their environment, where they see no change of it until their pods are created again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object, Objects, Selection


def lines(objects: Objects, secrets: Iterable[tuple[str, str]]) -> list[str]:
    """Return one sentence for each workload that runs and holds some of these Secrets, `(namespace, name)`."""
    wanted = set(secrets)
    found: dict[str, set[str]] = defaultdict(set)
    for namespace in {namespace for namespace, _name in wanted}:
        for pod in objects.read(Selection(POD, namespace)).objects:
            held = {f"Secret {namespace}/{name}" for name in _held(pod) if (namespace, name) in wanted}
            if held and (pod.get("status") or {}).get("phase") == "Running":
                found[_workload(pod)] |= held
    return [
        f"{workload} runs with an older value of {', '.join(sorted(held))} until its pods are created again"
        for workload, held in sorted(found.items())
    ]


def _held(pod: Object) -> Iterator[str]:
    spec = pod["spec"]
    for container in [*spec["containers"], *(spec.get("initContainers") or [])]:
        for variable in container.get("env") or []:
            yield ((variable.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name", "")
        for source in container.get("envFrom") or []:
            yield (source.get("secretRef") or {}).get("name", "")


def _workload(pod: Object) -> str:
    """Return what the pod belongs to, as people call it; the name of a ReplicaSet is its Deployment's and a hash."""
    metadata = pod["metadata"]
    owner = next(iter(metadata.get("ownerReferences") or []), {"kind": "Pod", "name": metadata["name"]})
    kind, name = owner["kind"], owner["name"]
    if kind == "ReplicaSet":
        kind, name = "Deployment", name.removesuffix(f"-{(metadata.get('labels') or {}).get('pod-template-hash', '')}")
    return f"{kind} {metadata['namespace']}/{name}"
