# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._environment import VARIABLES
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.chart_environment import RULES
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Settings

PARTS = ("", "web", "sidekiq", "streaming")


def problems(part: str, variables: Any) -> list[str]:
    given = {"extraEnvVars": variables}
    values = {"mastodon": {part: given} if part else given}
    return RULES.problems(Settings({"mastodon_values": values}.__getitem__, {}))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("value", ["new.example.org", "", None])
def test_an_instance_is_renamed_by_no_variable_of_any_part(part: str, value: str | None) -> None:
    path = f"mastodon.{part}.extraEnvVars" if part else "mastodon.extraEnvVars"
    assert problems(part, {"WEB_DOMAIN": value, "LOCAL_DOMAIN": value}) == [
        f"Variable mastodon_values: {path}.{name} is decided by a setting: the checks use that. Set {setting} instead."
        for name, setting in (("LOCAL_DOMAIN", "mastodon_local_domain"), ("WEB_DOMAIN", "mastodon_web_domain"))
    ]


@pytest.mark.parametrize("name", VARIABLES)
def test_what_a_value_of_the_chart_decides_is_refused_as_a_variable(name: str) -> None:
    [said] = problems("sidekiq", {name: "x"})
    assert said.startswith(f"Variable mastodon_values: mastodon.sidekiq.extraEnvVars.{name} is decided by a ")
    assert said.endswith(" instead.")


def test_what_a_value_decides_that_has_no_setting_names_the_value() -> None:
    assert problems("", {"SMTP_TLS": "true"}) == [
        "Variable mastodon_values: mastodon.extraEnvVars.SMTP_TLS is decided by a value: the checks use that. Set mastodon.smtp.tls instead."
    ]


@pytest.mark.parametrize("name", ["SELF_DESTRUCT", "SMTP_LOGIN", "VAPID_PUBLIC_KEY"])
def test_what_is_decided_elsewhere_is_refused(name: str) -> None:
    [said] = problems("web", {name: "x"})
    assert said.startswith(f"Variable mastodon_values: mastodon.web.extraEnvVars.{name} is decided elsewhere: ")


def test_a_list_is_refused_as_it_makes_no_variables_and_takes_ours_away() -> None:
    assert problems("web", [{"name": "A", "value": "b"}]) == [
        "Variable mastodon_values: mastodon.web.extraEnvVars is no mapping: the chart makes no variables of it. Write it as NAME: value."
    ]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "name",
    [
        *("DB_SSLMODE", "DB_POOL", "PGSSLROOTCERT", "ALTERNATE_DOMAINS", "FORCE_DEFAULT_LOCALE", "S3_KEY_PREFIX"),
        *("SIDEKIQ_REDIS_URL", "CACHE_REDIS_HOST", "AWS_REQUEST_CHECKSUM_CALCULATION", "BIND"),
    ],
)
def test_what_no_setting_decides_is_let_through(part: str, name: str) -> None:
    assert problems(part, {name: "x"}) == []


def test_nothing_is_no_variable() -> None:
    assert problems("web", None) == []
