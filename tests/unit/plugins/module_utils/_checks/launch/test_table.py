# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every combination of what may be left of a Mastodon, and what becomes of its keys in each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import secrets
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._checks.launch.world import (
    APP,
    KEYS,
    SALT,
    WANTED,
    World,
    installed,
)

TABLE = Path(__file__).parents[6] / "docs/keys.md"
PERMANENT = "are-primary-key"
LACKING = {key: value for key, value in KEYS.items() if key != PERMANENT}
OTHER = {**KEYS, PERMANENT: "another-canary"}

# What Vault may hold at the path, as versions, the newest last.
VAULT: Mapping[str, list[dict[str, str] | None]] = {
    "nothing": [],
    "all keys": [KEYS],
    "some keys": [LACKING],
    "some keys, the others in an older version": [KEYS, LACKING],
    "a deleted version": [KEYS, None],
}
SECRET: Mapping[str, dict[str, str] | None] = {
    "is not there": None,
    "holds none of them": {"mine": "kept"},
    "holds the same": KEYS,
    "holds others": OTHER,
}
RELEASE = ("ConfigMap", "HelmRelease", "Deployment")


@dataclass(frozen=True)
class Case:
    """What is there, and what the task did about it: `refusal` is what it said, empty when it let the run go on."""

    vault: str
    secret: str
    release: tuple[str, ...]
    database: bool
    refusal: str
    before: Mapping[str, str]
    after: Mapping[str, str]

    @property
    def lacking(self) -> set[str]:
        """The keys that Vault did not hold."""
        return KEYS.keys() - self.before.keys()

    @cached_property
    def copies(self) -> list[Mapping[str, str]]:
        """Every set of keys that is anywhere."""
        return [one for one in (*VAULT[self.vault], SECRET[self.secret]) if one]

    @property
    def outcome(self) -> str:
        """What happens, in the words of the table."""
        if not self.refusal:
            return "made" if self.lacking else "used as they are"
        for word, meaning in MEANINGS.items():
            if word in self.refusal:
                return f"refused: {meaning}"
        raise AssertionError(self.refusal)


MEANINGS = {
    "bao kv undelete": "bring the deleted version back",
    "Write it back from the cluster": "write them back from the Secret",
    "version 1 holds it": "bring them back from the older version",
    "is not the one that": "put the right ones back",
    "may hold what nothing else can decrypt": "restore them, or delete the database",
    "a Mastodon that runs": "restore them from a backup of Vault",
}


@pytest.fixture(scope="module")
def cases() -> Iterator[list[Case]]:
    """All of them, each on a cluster and a Vault of its own."""
    with pytest.MonkeyPatch.context() as patches:
        yield list(_cases(installed(World(), patches)))


def _cases(world: World) -> Iterator[Case]:
    releases = [tuple(kind for kind, there in zip(RELEASE, flags, strict=True) if there) for flags in _flags(RELEASE)]
    for vault, secret, release, database in product(VAULT, SECRET, releases, (False, True)):
        world.api.objects.clear()
        world.vault.versions.clear()
        _fill(world, vault, secret, release, database)
        before = dict((VAULT[vault] or [{}])[-1] or {})
        try:
            world.check(secrets=WANTED["secrets"][:1])
            refusal = ""
            _make(world)
        except MastodonError as error:
            refusal = str(error)
        after = (world.vault.versions.get(f"secret/data/{APP}") or [{}])[-1] or {}
        yield Case(vault, secret, release, database, refusal, before, after)


def _flags(names: tuple[str, ...]) -> Iterator[tuple[bool, ...]]:
    return product((False, True), repeat=len(names))


def _fill(world: World, vault: str, secret: str, release: tuple[str, ...], database: bool) -> None:
    for version in VAULT[vault]:
        world.store(APP, version)
    if (data := SECRET[secret]) is not None:
        world.secret("mastodon/mastodon-app", data)
    put: Mapping[str, Callable[[], object]] = {
        "ConfigMap": world.config_map,
        "HelmRelease": world.helm_release,
        "Deployment": world.deployment,
    }
    for kind in release:
        put[kind]()
    if database:
        world.put("postgresql.cnpg.io/v1", "Cluster", "mastodon/mastodon-db")


def _make(world: World) -> None:
    """Do what role vault does when nothing was refused."""
    formats = {key: {"format": "alphanumeric", "length": 32} for key in KEYS}
    secrets.ensure(world.connect(), "secret", [{"path": APP, "generate": formats}], SALT, check=False)


def test_keys_are_made_only_where_no_copy_of_them_and_nothing_they_encrypted_is_anywhere(cases: list[Case]) -> None:
    assert len(cases) == len(VAULT) * len(SECRET) * 2 ** (len(RELEASE) + 1)
    for case in cases:
        if case.outcome == "made":
            assert not any(key in copy for copy in case.copies for key in case.lacking), case
            assert not case.release, case
            assert not case.database, case
            assert case.after.keys() == KEYS.keys(), case


def test_no_copy_of_a_key_that_encrypts_is_ever_replaced(cases: list[Case]) -> None:
    for case in cases:
        assert case.before.items() <= case.after.items() or case.vault == "a deleted version", case
        if not case.refusal:
            assert {copy[PERMANENT] for copy in case.copies if PERMANENT in copy} <= {case.after[PERMANENT]}, case


def test_whatever_is_refused_writes_nothing_and_says_what_to_do(cases: list[Case]) -> None:
    for case in cases:
        if case.refusal:
            assert case.after == case.before, case
            assert case.refusal.startswith(f"Vault path secret/{APP}: "), case
            assert "canary" not in case.refusal, case
        else:
            assert case.after.keys() == KEYS.keys(), case


def test_what_is_complete_and_agrees_is_let_through(cases: list[Case]) -> None:
    for case in cases:
        if not case.lacking and case.secret != "holds others":
            assert case.outcome == "used as they are", case


def test_which_of_the_releases_objects_is_left_makes_no_difference(cases: list[Case]) -> None:
    found: dict[tuple[str, str, bool, bool], set[str]] = {}
    for case in cases:
        found.setdefault((case.vault, case.secret, bool(case.release), case.database), set()).add(case.outcome)
    assert {key: outcomes for key, outcomes in found.items() if len(outcomes) > 1} == {}


def table(cases: list[Case]) -> str:
    """Return the page with all cases, those that end alike in one line."""
    rows: dict[tuple[str, str], dict[tuple[bool, bool], str]] = {}
    for case in cases:
        rows.setdefault((case.vault, case.secret), {})[bool(case.release), case.database] = case.outcome
    lines = [
        f"| {vault} | {secret} | {left} | {outcome} |"
        for (vault, secret), outcomes in rows.items()
        for left, outcome in _rows(outcomes)
    ]
    return "\n".join([INTRODUCTION, *lines, ""])


def _rows(outcomes: Mapping[tuple[bool, bool], str]) -> list[tuple[str, str]]:
    if len(set(outcomes.values())) == 1:
        return [("whatever", outcomes[False, False])]
    assert outcomes[True, True] == outcomes[True, False]
    words = {(False, False): "nothing", (False, True): "the database", (True, False): "the release"}
    return [(word, outcomes[left]) for left, word in words.items()]


INTRODUCTION = """\
# What happens to Mastodon's keys

Mastodon's keys are generated once. Later runs look for them in Vault and in every copy: older and deleted versions of the path, and the
Secret in the cluster. A refusal comes before anything is written, in check mode too, with the command to run.

Where backups of PostgreSQL are turned on and nothing but the bucket is left, as on a new cluster, keys are not made either as long as it
holds a backup of the database, [which could not be read without them](operating.md#when-all-is-lost).

This table is written by `UPDATE_DOCS=1 pytest tests/unit/plugins/module_utils/_checks/launch/test_table.py`, which tries every combination.

| Vault holds | the Secret of the cluster | what else is left of that Mastodon | its keys are |
|---|---|---|---|"""


def test_the_page_tells_what_happens(cases: list[Case]) -> None:
    found = table(cases)
    if os.environ.get("UPDATE_DOCS"):
        TABLE.write_text(found, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == found
