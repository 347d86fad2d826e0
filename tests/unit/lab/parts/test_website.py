# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import acme, website
from mastodon_lab.parts.keys import keys

SENT = {"location": f"https://social.lab.test{website.LOOKUP}", "access-control-allow-origin": "*"}


@pytest.mark.parametrize(
    ("page", "lookup", "said"),
    [
        (200, (301, SENT), ""),
        (502, (301, SENT), "its page answers 502"),
        (200, (302, SENT), "does not send a lookup on"),
        (200, (301, SENT | {"location": "https://social.lab.test/.well-known/webfinger"}), "does not send a lookup on"),
        (200, (301, {"location": SENT["location"]}), "does not send a lookup on"),
        (200, (200, {}), "does not send a lookup on"),
    ],
)
def test_it_must_have_a_page_and_send_lookups_on_for_scripts_to_read(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, page: int, lookup: tuple[int, Mapping[str, str]], said: str
) -> None:
    asked: list[str] = []

    def get(address: str, path: str, _trust: object) -> tuple[int, Mapping[str, str]]:
        asked.append(address)
        return (page, {}) if path == "/" else lookup

    acme.roots_file(lab).write_text("")
    monkeypatch.setattr(website.ssl, "create_default_context", lambda **_: None)
    monkeypatch.setattr(website, "_get", get)
    if said:
        with pytest.raises(LabError, match=said):
            website.prove(lab, keys(lab))
    else:
        website.prove(lab, keys(lab))
    assert set(asked) == {lab.website_ip}
