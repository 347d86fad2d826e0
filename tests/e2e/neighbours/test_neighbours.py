# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second Mastodon and somebody else's app in the same namespace: each run leaves the others alone."""

from __future__ import annotations

import json
from pathlib import Path

from ...conftest import HERE, Lab
from ..support import eventually, served
from ..zone import DOMAIN, Zone
from .conftest import LABELS, SECOND, Neighbours


def test_both_answer_at_their_own_names(neighbours: Neighbours, zone: Zone) -> None:
    assert neighbours.second.returncode == 0, neighbours.second.output[-6000:]
    assert zone.texts(SECOND, "A") == [neighbours.lab.facts["gateway_address"]]
    assert served(neighbours.lab, SECOND) == SECOND
    assert served(neighbours.lab, DOMAIN) == DOMAIN


def test_the_second_touched_nothing_of_the_first_and_of_the_foreign_app(neighbours: Neighbours) -> None:
    assert neighbours.after.objects == neighbours.before.objects
    kept = {name: version for name, version in neighbours.before.secrets.items() if name != "mounts"}
    assert {name: neighbours.after.secrets[name] for name in kept} == kept


def test_each_changes_nothing_when_it_runs_again(neighbours: Neighbours) -> None:
    mark = neighbours.lab.audit_mark()
    assert neighbours.lab.site().recap["changed"] == 0
    assert neighbours.again().recap["changed"] == 0
    assert neighbours.lab.our_writes(mark) == []


def test_no_policy_of_either_selects_the_foreign_app(neighbours: Neighbours) -> None:
    found = neighbours.lab.get("networkpolicies", "-n=mastodon")["items"]
    # Not those of whoever runs the cluster.
    policies = [policy for policy in found if policy["metadata"]["name"].startswith(("mastodon", "second"))]
    assert len([policy for policy in policies if policy["metadata"]["name"].startswith("second")]) >= 3
    for policy in policies:
        selected = policy["spec"]["podSelector"].get("matchLabels", {})
        assert not selected.items() <= LABELS.items(), policy["metadata"]["name"]


def test_a_certificate_that_the_second_lacks_does_not_stop_the_first(neighbours: Neighbours) -> None:
    lab = neighbours.lab
    gateway = ("gateway", "-n=gateway-system", "shared-gateway-external")
    broken = {"name": "nobody.lab.test", "hostname": "nobody.lab.test", "port": 443, "protocol": "HTTPS"}
    broken |= {"tls": {"certificateRefs": [{"kind": "Secret", "name": "absent"}]}}
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"name": gateway[2]}}
    spec = {"gatewayClassName": "traefik", "listeners": [broken]}
    apply = ("apply", "--server-side", "--field-manager=neighbour", "-n=gateway-system", "--filename=-")
    lab.kubectl(*apply, given=json.dumps({**body, "spec": spec}))
    try:

        def listeners() -> dict[str, list[str]]:
            found = lab.get(*gateway)["status"]["listeners"]
            return {
                one["name"]: [c["status"] for c in one["conditions"] if c["type"] == "ResolvedRefs"] for one in found
            }

        eventually(listeners, lambda found: found.get("nobody.lab.test") == ["False"])
        assert lab.site().recap["changed"] == 0
        assert served(lab, DOMAIN) == DOMAIN
    finally:
        lab.kubectl(*apply, given=json.dumps({**body, "spec": {"gatewayClassName": "traefik"}}))


def test_a_cluster_that_fails_is_named_and_does_not_spoil_the_other(installed: Lab, tmp_path: Path) -> None:
    inventory = tmp_path / "clusters.json"
    broken = {**HERE, "kubeconfig": "/nonexistent/kubeconfig"}
    inventory.write_text(json.dumps({"clusters": {"hosts": {"broken": broken}}}))
    installed.kubectl("delete", "networkpolicy", "-n=mastodon", "mastodon-web")
    run = installed.site("-i", str(inventory))
    assert run.returncode != 0
    assert "fatal: [broken]: FAILED!" in run.output
    assert "/nonexistent/kubeconfig" in run.output
    assert (run.recap["changed"], run.recap["failed"]) == (1, 0)
