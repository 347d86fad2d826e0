# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef, Outcome, desired_set
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import NAMESPACE, thing


@pytest.mark.parametrize(
    ("subject", "called", "reference"),
    [
        (ObjectRef("apps", "Deployment", "ns", "web"), "Deployment ns/web", "apps/namespaces/ns/Deployment/web"),
        (ObjectRef("", "ConfigMap", "ns", "a"), "ConfigMap ns/a", "/namespaces/ns/ConfigMap/a"),
        (ObjectRef("", "Namespace", "", "ns"), "Namespace ns", "/Namespace/ns"),
        (
            ObjectRef("cert-manager.io", "ClusterIssuer", "", "le"),
            "ClusterIssuer le",
            "cert-manager.io/ClusterIssuer/le",
        ),
    ],
)
def test_a_subject_is_called_and_written_in_known_ways(subject: ObjectRef, called: str, reference: str) -> None:
    assert str(subject) == called
    assert subject.reference == reference
    assert ObjectRef.parse(reference) == subject


@pytest.mark.parametrize(
    "text", ["", "web", "apps/web", "a/b/c/d", "apps/namespaces//Deployment/web", "a/namespaces/b/c"]
)
def test_other_text_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="is not group/namespaces"):
        ObjectRef.parse(text)


def test_lists_are_opened_and_empty_documents_left_out() -> None:
    found = desired_set([None, {}, {"apiVersion": "v1", "kind": "List", "items": [NAMESPACE, thing("ConfigMap", "a")]}])
    assert [str(item.subject) for item in found] == ["Namespace ns", "ConfigMap ns/a"]


def test_what_users_cannot_declare_is_left_out() -> None:
    generated = thing("Deployment", "d")
    generated["metadata"] |= {"creationTimestamp": None, "generation": 1, "selfLink": "/x"}
    assert desired_set([generated])[0].body == thing("Deployment", "d")


@pytest.mark.parametrize("has_status", [False, True])
def test_a_status_is_declared_where_an_apply_can_set_it(has_status: bool) -> None:
    declared = {**thing("Widget", "w"), "status": {"phase": "x"}}
    resource = Resource("example.test", "v1", "Widget", "widgets", namespaced=True, has_status=has_status)
    body = desired_set([declared])[0].as_served(resource).body
    assert body == (thing("Widget", "w") if has_status else declared)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("text", "Document 1 of the set: is not a Kubernetes object: it is str. Check its YAML."),
        ([1], "Document 1 of the set: is not a Kubernetes object: it is list. Check its YAML."),
        ({"kind": "A", "metadata": {"name": "a"}}, "Document 1 of the set (A a): has no apiVersion."),
        ({"apiVersion": "v1", "metadata": {"name": "a"}}, "Document 1 of the set (a): has no kind."),
        ({"apiVersion": "v1", "kind": "A"}, "Document 1 of the set (A): has no metadata.name."),
        ({"apiVersion": "v1", "kind": "A", "metadata": {"generateName": "a"}}, "has no metadata.name."),
        ({"apiVersion": "v1", "kind": "A", "metadata": {"name": 5}}, "has no metadata.name."),
        (thing("ConfigMap", "a", after="nonsense"), "ConfigMap ns/a: its annotation config.kubernetes.io/depends-on"),
    ],
)
def test_what_is_no_object_is_named(document: Any, sentence: str) -> None:
    with pytest.raises(MastodonError) as caught:
        desired_set([document])
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a/status", "'a/status' has '/' in it"),
        ("a%2Fb", "'a%2Fb' has '%' in it"),
        ("..", "'..' is a place in every path"),
        ("a\nb", "'a\\nb' has a character in it that cannot be seen"),
        ("a\u2028b", "has a character in it that cannot be seen"),
        ("a ", "'a ' begins or ends with a blank"),
    ],
)
def test_a_name_that_would_be_something_else_in_an_address_is_refused(name: str, why: str) -> None:
    named = thing("ConfigMap", "a")
    elsewhere, of_kind, of_group = (copy.deepcopy(named) for _unused in range(3))
    named["metadata"]["name"] = name
    elsewhere["metadata"]["namespace"] = of_kind["kind"] = name
    of_group["apiVersion"] = f"{name}/v1"
    for document, field in (
        (named, "metadata.name"),
        (elsewhere, "metadata.namespace"),
        (of_kind, "kind"),
        (of_group, "apiVersion"),
    ):
        with pytest.raises(MastodonError) as caught:
            desired_set([document])
        assert f": its {field} cannot be used: " in str(caught.value)
        assert why in str(caught.value)


@pytest.mark.parametrize("name", ["system:basic user", "a?b", "a#b", "a,b=c", "日本", "A.B"])
def test_names_that_some_kinds_may_have_are_left_to_the_server(name: str) -> None:
    assert desired_set([thing("ClusterRole", name)])[0].subject.name == name


@pytest.mark.parametrize("field", ["resourceVersion", "uid", "managedFields"])
def test_a_copy_of_a_live_object_is_refused(field: str) -> None:
    copied = thing("ConfigMap", "a")
    copied["metadata"] |= {field: "7", "generation": 1}
    reported = f"ConfigMap ns/a: is a copy of a live object: it has metadata.{field}. Remove {field}."
    with pytest.raises(MastodonError, match=re.escape(reported)):
        desired_set([copied])


def test_what_is_of_another_type_than_usual_is_no_traceback() -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": None}
    noted = {**thing("ConfigMap", "a"), "metadata": {"name": "a", "namespace": None, "annotations": ["x"]}}
    assert [str(item.subject) for item in desired_set([listed, noted])] == ["ConfigMap a"]
    numbered = {**thing("ConfigMap", "a"), "metadata": {"name": "a", "namespace": 5}}
    with pytest.raises(MastodonError, match=r"\(a\): its metadata.namespace is not text. Put it in quotes."):
        desired_set([numbered])


def test_an_object_may_be_in_the_set_only_once() -> None:
    with pytest.raises(MastodonError, match="Namespace ns: is in the set twice"):
        desired_set([NAMESPACE, NAMESPACE])


def test_an_outcome_is_reported_in_one_line() -> None:
    subject = ObjectRef("", "ConfigMap", "ns", "a")
    assert Outcome(subject, "created").line() == "created ConfigMap ns/a"
    assert (
        Outcome(subject, "configured", ("x 1 → 2", "y removed")).line()
        == "configured ConfigMap ns/a: x 1 → 2, y removed"
    )
