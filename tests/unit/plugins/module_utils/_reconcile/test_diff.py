# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.diff import changes, documents


def item(kind: str = "Thing", metadata: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", **(metadata or {})}, **fields}


def named(*pairs: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in pairs]


CASES = {
    "spec.instances 1 → 2": ({"spec": {"instances": 1}}, {"spec": {"instances": 2}}),
    'spec.x "a" → "b"': ({"spec": {"x": "a"}}, {"spec": {"x": "b"}}),
    "spec.y added true": ({"spec": {"x": 1}}, {"spec": {"x": 1, "y": True}}),
    "spec.y removed": ({"spec": {"x": 1, "y": 2}}, {"spec": {"x": 1}}),
    'spec.env[name="B"].value 2 → 3': (
        {"spec": {"env": named(("A", 1), ("B", 2))}},
        {"spec": {"env": named(("A", 1), ("B", 3))}},
    ),
    'spec.env[name="B"] removed': ({"spec": {"env": named(("A", 1), ("B", 2))}}, {"spec": {"env": named(("A", 1))}}),
    'order of spec.env ["A", "B"] → ["B", "A"]': (
        {"spec": {"env": named(("A", 1), ("B", 2))}},
        {"spec": {"env": named(("B", 2), ("A", 1))}},
    ),
    "spec.args [1] → [2]": ({"spec": {"args": [1]}}, {"spec": {"args": [2]}}),
    f'spec.x "a" → "{"b" * 59}…': ({"spec": {"x": "a"}}, {"spec": {"x": "b" * 100}}),
}


@pytest.mark.parametrize("reported", CASES)
def test_a_difference_in_words(reported: str) -> None:
    before, after = CASES[reported]
    assert changes(item(**before), item(**after)) == (reported,)


def test_what_every_write_changes_is_no_difference() -> None:
    before = item(metadata={"resourceVersion": "1", "generation": 1, "managedFields": []}, status={"a": 1})
    after = item(metadata={"resourceVersion": "2", "generation": 2, "managedFields": [{}]}, status={"a": 2})
    assert changes(before, after) == ()


@pytest.mark.parametrize("field", [".spec.env", '.spec.env[name="B"]', '.spec.env[name="B"].value'])
def test_whoever_had_changed_a_field_is_named(field: str) -> None:
    before, after = CASES['spec.env[name="B"].value 2 → 3']
    reported = changes(item(**before), item(**after), {field: "kubectl-edit", ".spec.en": "nobody"})
    assert reported == ('spec.env[name="B"].value 2 → 3 (was changed by kubectl-edit)',)


def test_secrets_are_reported_and_shown_without_their_values() -> None:
    annotation = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"data": {"k": "canary"}}'}}
    before = item("Secret", annotation, data={"k": "canary1", "same": "canary"})
    after = item("Secret", data={"k": "canary2", "same": "canary", "new": "canary"})
    reported = changes(before, after)
    assert reported[0] == "data.k changed"
    shown = documents(before, after)
    assert "k: '*** (before)'" in shown[0]
    assert "k: '*** (after)'" in shown[1]
    assert "same: '***'" in shown[1]
    assert "canary" not in str((reported, shown))


OF_USERS: list[dict[str, Any]] = [
    {"spec": {"values": {"smtp": {"password": "canary"}}}},
    {"spec": {"values": {"auth": {"apiToken": "canary", "clientSecret": "canary"}}}},
    {"spec": {"values": {"extraEnvVars": {"LDAP_BIND_PW": "x", "OIDC_CLIENT_SECRET": "canary"}}}},
    {"spec": {"env": [{"name": "SENTRY_TOKEN", "value": "canary"}]}},
    {"spec": {"values": {"url": "postgres://me:canary@db.example.org/x"}}},
    {"spec": {"values": {"accounts": {"secret": ["canary"], "password": {"of": "canary"}}}}},
]


@pytest.mark.parametrize("fields", OF_USERS)
def test_secrets_that_stand_among_settings_are_reported_and_shown_without_their_values(fields: dict[str, Any]) -> None:
    other = json.loads(json.dumps(fields).replace("canary", "canary2"))
    for before, after in ((fields, other), (fields, {"spec": {}}), ({"spec": {}}, fields)):
        reported = changes(item(**before), item(**after))
        assert reported
        assert "canary" not in str((reported, documents(item(**before), item(**after))))
    before_shown, after_shown = documents(item(**fields), item(**other))
    assert before_shown != after_shown


def test_a_note_about_secrets_is_for_everybody() -> None:
    note = {"annotations": {"example.org/secrets": "a"}}
    (reported,) = changes(item(metadata=note), item(metadata={"annotations": {"example.org/secrets": "b"}}))
    assert reported == 'metadata.annotations.example.org/secrets "a" → "b"'
    assert "example.org/secrets: a" in documents(item(metadata=note), None)[0]


def test_the_names_of_secrets_are_shown() -> None:
    for key in ("existingSecret", "secretName", "tokenSecretRef", "passwordKey", "automountServiceAccountToken"):
        (reported,) = changes(item(spec={key: "a"}), item(spec={key: "b"}))
        assert reported == f'spec.{key} "a" → "b"'
    reference = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "smtp", "key": "password"}}}]
    assert "key: password" in documents(None, item(spec={"env": reference}))[1]


def test_a_secret_that_was_not_there_is_masked_too() -> None:
    assert "canary" not in str(documents(None, item("Secret", stringData={"k": "canary"})))


def test_documents_are_yaml_without_what_the_server_sets() -> None:
    shown = documents(item(metadata={"uid": "1"}, spec={"b": 1, "a": [1]}, status={}), None)
    assert shown == ("apiVersion: v1\nkind: Thing\nmetadata:\n  name: a\nspec:\n  a:\n  - 1\n  b: 1\n", "")


def test_what_nobody_can_read_is_shown_by_its_size_and_whether_it_is_another() -> None:
    def program(content: str) -> dict[str, Any]:
        metadata = {"name": "program", "namespace": "mastodon"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "binaryData": {"a.pyz": content}}

    before, after = documents(program("A" * 1000), program("B" * 1000))
    assert "a.pyz: 1000 letters, sha256 c2e686823489ced2" in before
    assert before != after
    assert "BBBB" not in after
    assert documents(program("A"), program("A"))[0] == documents(program("A"), program("A"))[1]
