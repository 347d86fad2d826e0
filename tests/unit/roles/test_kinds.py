# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the roles create is waited for by a rule and reported by the status, unless plain_kinds.py says why not.

Rights to it are compared in test_rights.py, and who may fall back to another value in test_common.py.
"""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.status import KINDS
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.ready import RULES

from .conftest import ROOT
from .plain_kinds import WITHOUT_ROW, WITHOUT_RULE
from .sites import SITES, done, every_kind, kind, site, waited_for


def test_every_kind_has_a_readiness_rule_or_a_reason_for_none() -> None:
    assert sorted(every_kind().keys() - RULES.keys() - WITHOUT_RULE.keys()) == []


def test_every_kind_has_a_row_in_the_status_or_a_reason_for_none() -> None:
    assert sorted(every_kind().keys() - set(KINDS) - WITHOUT_ROW.keys()) == []


def test_nothing_has_a_reason_for_none_and_one_all_the_same() -> None:
    assert sorted(WITHOUT_RULE.keys() & RULES.keys()) == []
    assert sorted(WITHOUT_ROW.keys() & set(KINDS)) == []


def test_no_kind_is_reported_or_excused_that_no_role_applies() -> None:
    assert sorted({*KINDS, *WITHOUT_ROW} - every_kind().keys()) == []


@pytest.mark.parametrize("name", SITES)
def test_every_secret_has_a_line_in_the_status(name: str) -> None:
    written = [
        *(
            one["path"]
            for task in done(name)
            for one in task.get("fediverse.mastodon.vault_secret", {}).get("secrets", [])
            if one.get("generate") or one.get("required")
        ),
        *(task["fediverse.mastodon.account"]["path"] for task in done(name) if "fediverse.mastodon.account" in task),
    ]
    (play,) = yaml.safe_load((ROOT / "playbooks/status.yml").read_text())
    options = play["tasks"][-1]["fediverse.mastodon.status_info"]
    folder, names = site(name).rendered(options["path"]), site(name).rendered(options["secrets"])
    reported = [one if "/" in one else f"{folder}/{one}" for one in names]
    assert len(written) > len(("app", "admin"))
    assert sorted(reported) == sorted(written)


def test_what_is_waited_for_is_of_one_kind_whatever_else_the_cluster_serves() -> None:
    """By its name alone a Gateway may be Istio's just as well, and then nothing is waited for."""
    named = {kind(one) for name in SITES for one in waited_for(name)}
    assert {"Certificate", "Cluster", "ExternalSecret", "Gateway", "HelmRelease"} <= {name for _group, name in named}
    # Mastodon's pods, which end when it is uninstalled.
    assert sorted(named - every_kind().keys()) == [("", "Pod")]
