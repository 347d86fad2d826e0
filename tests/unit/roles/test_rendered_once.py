# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site renders once is what it would be at every mention."""

from __future__ import annotations

import gc

import pytest

from . import conftest
from .conftest import Site


def test_each_site_has_values_of_its_own() -> None:
    first, second = Site(mastodon_local_domain="one.example"), Site(mastodon_local_domain="two.example")
    for _again in range(2):
        assert first.value("vault_path") == "mastodon/one.example"
        assert second.value("vault_path") == "mastodon/two.example"


def test_what_a_task_is_given_goes_before_and_ends_with_it() -> None:
    site = Site()
    name = "Refuse what a running Mastodon cannot survive"
    versions = [
        site.tasks("mastodon", file)[name]["fediverse.mastodon.launch_check"]["version"]
        for file in ("launched.yml", "uninstall.yml", "launched.yml")
    ]
    assert versions == ["v4.7.4", None, "v4.7.4"]


def test_what_is_missing_is_so_each_time() -> None:
    site = Site(external_dns_provider="")
    for _again in range(2):
        with pytest.raises(Exception, match="Variable external_dns_provider: missing"):
            site.value("external_dns_chosen_values")


def test_all_of_a_role_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Site(mastodon_local_domain="three.example").tasks("mastodon", "main.yml")
    monkeypatch.setattr(conftest, "_RENDERED", {})
    site = Site(mastodon_local_domain="three.example")
    conftest._RENDERED.clear()
    assert site.tasks("mastodon", "main.yml") == once


def test_nothing_is_kept_of_a_site_that_is_gone() -> None:
    site = Site()
    site.tasks("mastodon", "launched.yml")
    kept = len(conftest._RENDERED)
    del site
    gc.collect()
    assert len(conftest._RENDERED) < kept
