# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from mastodon_stand_in.__main__ import main


@pytest.mark.parametrize("arguments", [[], ["rails"], ["rails", "console"]])
def test_an_unknown_command_is_refused_with_what_is_known(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert "Use one of rake, puma, sidekiq, ./streaming, tootctl, prometheus_exporter." in capsys.readouterr().err
