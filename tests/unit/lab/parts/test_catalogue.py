# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from mastodon_lab.cluster import api
from mastodon_lab.lab import Lab
from mastodon_lab.parts import catalogue, dns
from mastodon_lab.parts.keys import keys


@pytest.mark.parametrize(
    ("conditions", "said"),
    [([], "is not accepted"), ([{"type": "Accepted", "status": "Unknown"}], "is not accepted")],
)
def test_a_gateway_class_must_be_accepted(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, conditions: list[dict[str, str]], said: str
) -> None:
    monkeypatch.setattr(api, "get_json", lambda *_: {"status": {"conditions": conditions}})
    with pytest.raises(OSError, match=said):
        catalogue._prove_gateway(lab, keys(lab))


@pytest.mark.parametrize(("phase", "bound"), [("Bound", True), ("Pending", False)])
def test_volumes_are_shown_by_the_platform_s_claims(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, phase: str, bound: bool
) -> None:
    claim = {"metadata": {"name": "data"}, "status": {"phase": phase}}
    monkeypatch.setattr(api, "get_json", lambda _, path: {"items": [claim] if "/cache/" in path else []})
    if bound:
        catalogue._prove_volumes(lab, keys(lab))
    else:
        with pytest.raises(OSError, match="claim cache/data has no volume"):
            catalogue._prove_volumes(lab, keys(lab))


def test_dns_must_know_the_api_server(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "address_of", lambda *_: "10.0.0.1")
    with pytest.raises(OSError, match="wrong address"):
        catalogue._prove_dns(lab, keys(lab))


def test_policies_are_tried_on_a_pod_that_runs(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = {"status": {"phase": "Failed"}}
    monkeypatch.setattr(api, "get_json", lambda *_: {"items": [ended]})
    with pytest.raises(OSError, match="no pod that NetworkPolicies could be tried on"):
        catalogue._prove_policies(lab, keys(lab))
