# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.finalizers import held
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import thing


def dying(*finalizers: str, kind: str = "HelmRelease", **fields: Any) -> dict[str, Any]:
    item = thing(kind, "a", **fields)
    owned = {f'v:"{name}"': {} for name in finalizers if "flux" in name}
    managed = {"manager": "helm-controller", "fieldsV1": {"f:metadata": {"f:finalizers": {".": {}, **owned}}}}
    item["metadata"] |= {"finalizers": list(finalizers), "managedFields": [{"manager": "kubectl"}, managed]}
    return item


@pytest.mark.parametrize(
    ("finalizers", "reported"),
    [
        ((), ""),
        (("finalizers.fluxcd.io",), "finalizers.fluxcd.io of helm-controller"),
        (("kubernetes.io/pvc-protection",), "kubernetes.io/pvc-protection of a pod that uses the claim"),
        (("a.test/x", "finalizers.fluxcd.io"), "a.test/x, finalizers.fluxcd.io of helm-controller"),
    ],
)
def test_finalizer_and_holder_are_named(finalizers: tuple[str, ...], reported: str) -> None:
    assert held(dying(*finalizers)) == reported


def test_what_is_left_in_a_namespace_is_reported() -> None:
    conditions = [
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "all discovered"},
        {"type": "NamespaceFinalizersRemaining", "status": "True", "message": "a.test/x in 1 resource instances"},
    ]
    assert held(dying(kind="Namespace", status={"conditions": conditions})) == "a.test/x in 1 resource instances"
