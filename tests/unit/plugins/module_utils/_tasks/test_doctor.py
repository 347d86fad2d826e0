# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong is reported all at once: the first of several does not hide the others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError, all_of
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import doctor

RUN = Run(check=False, diff=False, say=print, environment={})


def fail(name: str) -> Any:
    def check(*_unused: Any) -> list[str]:
        raise MastodonError(name, "failed")

    return check


def test_cluster_and_vault_are_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_cluster", fail("Cluster"))
    monkeypatch.setattr(doctor, "_vault", fail("Vault"))
    with pytest.raises(CombinedError) as reported:
        doctor.run_task({"cluster": True, "vault": True}, RUN)
    assert str(reported.value) == "Cluster: failed.\nVault: failed."
    with pytest.raises(MastodonError) as one:
        doctor.run_task({"cluster": False, "vault": True}, RUN)
    assert str(one.value) == "Vault: failed."


def test_the_edge_does_not_hide_what_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "connect", lambda *_unused: SimpleNamespace(host="https://cluster"))
    monkeypatch.setattr(doctor, "open_objects", lambda *_unused: SimpleNamespace(discover=lambda: None))
    monkeypatch.setattr(doctor.gateway, "examine", lambda *_unused: ["Gateway: wrong."])
    monkeypatch.setattr(doctor.adopted, "checks", lambda *_unused: [fail("Flux")])
    options = {"kinds": [], "external_dns": None, "gateway": {"a": 1}, "adopted": ["flux"]}
    parameters = {**options, "nodes": [], "storage_classes": []}
    with pytest.raises(CombinedError) as reported:
        doctor.run_task({**parameters, "cluster": True, "vault": False}, RUN)
    assert str(reported.value) == "Gateway: wrong.\nFlux: failed."


def test_all_that_is_well_comes_in_order() -> None:
    assert all_of([lambda: ["a"], list, lambda: ["b", "c"]]) == ["a", "b", "c"]
