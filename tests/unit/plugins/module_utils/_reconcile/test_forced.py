# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile import forced
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import subject

SET = [subject("ConfigMap", "settings"), subject("Deployment", "web"), subject("Namespace", "ns")]


def test_names_of_this_set_and_of_others_are_taken_as_they_are() -> None:
    names = ["ConfigMap ns/settings", "Namespace ns", "ConfigMap other/settings", "Secret ns/key"]
    assert forced.read(names, SET) == frozenset(names)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("configmap ns/settings", "ConfigMap ns/settings"),
        ("ConfigMap settings", "ConfigMap ns/settings"),
        ("configmap/settings", "ConfigMap ns/settings"),
        ("configmaps/settings", "ConfigMap ns/settings"),
        ("deployment.apps/web", "Deployment ns/web"),
        ("ConfigMap ns/settings ", "ConfigMap ns/settings"),
        ("namespace/ns", "Namespace ns"),
    ],
)
def test_a_name_written_otherwise_is_refused_with_the_right_one(written: str, meant: str) -> None:
    reported = f'Option force_conflicts: {written!r}: names no object. Write "{meant}".'
    with pytest.raises(MastodonError, match=re.escape(reported)):
        forced.read([written], SET)
