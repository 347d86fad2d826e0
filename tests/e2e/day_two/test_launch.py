# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Mastodon that runs cannot survive is refused before anything is touched."""

from __future__ import annotations

import pytest

from ...conftest import Lab
from .test_wrong_input import refused

APP = "mastodon/social.lab.test/app"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"mastodon_local_domain": "other.lab.test"}, "runs as social.lab.test and cannot become other.lab.test"),
        ({"mastodon_web_domain": "web.lab.test"}, "runs as social.lab.test and cannot become web.lab.test"),
        ({"mastodon_image_tag": "v4.6.9"}, "cannot go back from v4.7.2 to v4.6.9"),
        ({"mastodon_image_tag": "v4.9.0"}, "v4.7 → v4.8 → v4.9"),
    ],
)
def test_a_change_that_cannot_be_taken_back_is_refused(laid_down: Lab, settings: dict[str, str], sentence: str) -> None:
    refused(laid_down, settings, sentence)


@pytest.mark.parametrize("lost", [True, False])
def test_keys_that_are_lost_or_others_are_refused_and_nothing_is_made_anew(laid_down: Lab, lost: bool) -> None:
    secrets = laid_down.vault().secrets.kv.v2
    right = secrets.read_secret_version(APP, raise_on_deleted_version=True)["data"]
    if lost:
        secrets.delete_latest_version_of_secret(APP)
    else:
        secrets.create_or_update_secret(APP, {**right["data"], "are-primary-key": "x" * 32})
    sentence = "so it is not made anew" if lost else "are-primary-key is another one than Mastodon"
    try:
        refused(laid_down, {}, sentence)
        assert sentence in laid_down.site("--check", "--diff").output
    finally:
        secrets.create_or_update_secret(APP, right["data"])
    assert laid_down.site().recap["changed"] == 0
