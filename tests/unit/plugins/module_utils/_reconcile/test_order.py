# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import desired_set
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.order import waves
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import (
    NAMESPACE,
    subject,
    thing,
)


def names(*objects: Object) -> list[list[str]]:
    found = waves(desired_set(objects), lambda item: item.subject.kind != "Widget", subject("ConfigMap", "inventory"))
    return [[item.subject.name for item in wave.items] for wave in found]


def test_the_stages_follow_each_other() -> None:
    assert names(
        thing("ValidatingWebhookConfiguration", "hook"),
        thing("Widget", "unserved"),
        thing("Deployment", "app"),
        thing("ConfigMap", "config"),
        thing("ConfigMap", "inventory"),
        thing("CustomResourceDefinition", "crd"),
        NAMESPACE,
    ) == [["crd", "ns"], ["inventory"], ["config"], ["app"], ["unserved"], ["hook"]]


def test_dependencies_go_before_dependents() -> None:
    first, second = "/namespaces/ns/ConfigMap/first", "/namespaces/ns/ConfigMap/second"
    objects = [
        thing("ConfigMap", "third", after=f"{first}, {second}"),
        thing("ConfigMap", "second", after=first),
        thing("ConfigMap", "first"),
        thing("ConfigMap", "other"),
    ]
    assert names(*objects) == [["first", "other"], ["second"], ["third"]]


def test_what_depends_on_an_unserved_kind_comes_after_it() -> None:
    objects = [thing("ConfigMap", "c", after="example.test/namespaces/ns/Widget/w"), thing("Widget", "w")]
    assert names(*objects) == [["w"], ["c"]]


def test_a_circle_is_refused() -> None:
    objects = [
        thing("ConfigMap", "a", after="/namespaces/ns/ConfigMap/b"),
        thing("ConfigMap", "b", after="/namespaces/ns/ConfigMap/a"),
    ]
    with pytest.raises(MastodonError, match=r"ConfigMap ns/. → ConfigMap ns/. → ConfigMap ns/.: depend on each other"):
        names(*objects)


def test_a_dependency_outside_the_set_is_refused() -> None:
    with pytest.raises(MastodonError, match="ConfigMap ns/a: depends on Secret ns/x: it is not in the set"):
        names(thing("ConfigMap", "a", after="/namespaces/ns/Secret/x"))
