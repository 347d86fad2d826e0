# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Gateway that the role `gateway` would apply."""

from __future__ import annotations

from .conftest import Site


def test_a_host_that_is_named_twice_has_one_listener() -> None:
    site = Site(mastodon_web_domain="example.org")
    assert site.value("gateway_hostnames") == ["example.org"]
    listeners = site.objects("gateway")["Gateway shared-gateway-external"]["spec"]["listeners"]
    assert [one["hostname"] for one in listeners if "hostname" in one] == ["example.org"]
