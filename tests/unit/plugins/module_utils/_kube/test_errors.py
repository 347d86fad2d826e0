# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.errors import refused


def body(message: str, *causes: tuple[str, str, str]) -> bytes:
    listed = [{"reason": reason, "field": field, "message": text} for reason, field, text in causes]
    return json.dumps({"kind": "Status", "message": message, "details": {"causes": listed}}).encode()


SENTENCES: dict[str, tuple[int, bytes]] = {
    "X: refused the credentials (401): Unauthorized. Check the user in the kubeconfig.": (401, body("Unauthorized")),
    "X: is not permitted (403): no. Give this user the right, or use another kubeconfig.": (403, body("no")),
    "X: does not fit the namespace's quota: exceeded quota: q. Raise the quota or ask for less.": (
        403,
        body("exceeded quota: q"),
    ),
    'X: is forbidden by Pod Security: pods "p" is forbidden: violates PodSecurity. '
    "Change the object or the namespace's level.": (403, body('pods "p" is forbidden: violates PodSecurity')),
    'X: was denied by an admission policy: admission webhook "w" denied the request: no. '
    "Change the object as the policy asks.": (403, body('admission webhook "w" denied the request: no')),
    "X: was denied by an admission policy: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no. "
    "Change the object as the policy asks.": (
        422,
        body("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"),
    ),
    'X: has no namespace: namespaces "n" not found. Add the Namespace to the same set.': (
        404,
        body('namespaces "n" not found'),
    ),
    "X: was not found: the server could not find it. It, or its kind, was removed meanwhile: run again.": (
        404,
        body("the server could not find it"),
    ),
    "X: conflicts with another writer: changed. Run again.": (409, body("changed")),
    "X: is invalid: spec.a: bad; spec.b: worse. Correct these fields.": (
        422,
        body("long", ("FieldValueInvalid", "spec.a", "bad"), ("FieldValueInvalid", "spec.b", "worse")),
    ),
    "X: is invalid: failed to create typed patch object (/x): .a: field not declared in schema. Correct this field.": (
        500,
        body("failed to create typed patch object (/x): .a: field not declared in schema"),
    ),
    'X: an admission webhook does not answer: failed calling webhook "w": Post "https://a.b.svc:443/": refused. '
    "Check the pods of Service b/a; without any, install what the webhook belongs to, or remove its configuration.": (
        500,
        body('failed calling webhook "w": Post "https://a.b.svc:443/": refused'),
    ),
    "X: an admission webhook does not answer: Internal error: failed calling webhook w. Check its pods.": (
        500,
        body("Internal error: failed calling webhook w"),
    ),
    "X: the API server is overloaded or starting: HTTP 503 busy. Run again later.": (
        503,
        b"<html>busy</html>",
    ),
    "X: the API server answered with an error: HTTP 418 []. Check the API server's log.": (418, b"[]"),
    "X: the API server answered with an error: HTTP 418. Check the API server's log.": (418, b"{}"),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_refusal_is_one_sentence(sentence: str) -> None:
    assert str(refused("X", *SENTENCES[sentence])) == sentence


def test_a_namespace_that_is_being_deleted_is_recognised_by_its_cause() -> None:
    reported = body("unable to create", ("NamespaceTerminating", "metadata.namespace", "gone"))
    assert str(refused("X", 403, reported)).startswith("X: its namespace is being deleted: unable to create.")


@pytest.mark.parametrize("secret", [False, True])
def test_a_webhook_is_recognised_whatever_is_shown_of_it(secret: bool) -> None:
    reported = (
        'Internal error occurred: failed calling webhook "a.b": Post "https://a.b.svc:443/": no endpoints: canary'
    )
    error = refused("Secret ns/x", 500, body(reported), secret=secret)
    assert error.is_webhook_down
    assert "no endpoints" in error.message
    assert 'failed calling webhook "a.b"' in str(error)
    assert "Check the pods of Service b/a" in str(error)
    assert ("canary" in str(error)) is not secret


@pytest.mark.parametrize(
    "reported",
    [
        'Invalid value: {"Volumes":null}: field is immutable',
        "Forbidden: field is immutable when `immutable` is set",
        "Forbidden: spec is immutable after creation except resources.requests",
        "Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
        'Invalid value: {"Name":"b"}: cannot change roleRef',
    ],
)
@pytest.mark.parametrize("secret", [False, True])
def test_what_can_be_set_only_at_creation_is_recognised(reported: str, secret: bool) -> None:
    assert refused(
        "X", 422, body(f"X is invalid: {reported}", ("FieldValueInvalid", "spec", reported)), secret=secret
    ).is_immutable
    assert not refused("X", 422, body("X is invalid: spec: Invalid value: 1", ("", "spec", "no"))).is_immutable


def test_of_a_long_refusal_field_and_reason_are_kept() -> None:
    value = f"Invalid value: {json.dumps({'Containers': ['x' * 5000]})}: field is immutable"
    causes = [("FieldValueInvalid", f"spec.template.spec{number}", value) for number in range(2)]
    reported = str(refused("Job ns/x", 422, body("long", *causes)))
    for number in range(2):
        assert f"spec.template.spec{number}: Invalid value: " in reported
    assert reported.count("field is immutable") == 2
    assert len(reported) < 600


def test_a_cause_without_a_field_is_reported_by_itself() -> None:
    assert "is invalid: Validating policy says no. " in str(
        refused("X", 422, body("long", ("", "", "Validating policy says no")))
    )


@pytest.mark.parametrize("status", [400, 422, 500])
def test_the_values_of_a_secret_are_not_quoted(status: int) -> None:
    reported = body("canary", ("FieldValueInvalid", "data.key", 'Invalid value: "canary"'))
    assert "canary" not in str(refused("Secret ns/x", status, reported, secret=True))
    assert "data.key" in str(refused("Secret ns/x", status, reported, secret=True))
    assert "its content is not shown" in str(refused("Secret ns/x", status, body("canary"), secret=True))


@pytest.mark.parametrize("status", [400, 403, 409, 413, 418, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    "answer", [body('admission webhook "a.b" denied the request: canary'), b"<p>canary</p>", b"canary"]
)
def test_whatever_quotes_a_secret_is_not_quoted_in_turn(status: int, answer: bytes) -> None:
    assert "canary" not in str(refused("Secret ns/x", status, answer, secret=True))
    if b"webhook" in answer:
        assert 'admission webhook "a.b" denied the request' in str(refused("Secret ns/x", status, answer, secret=True))


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        (
            403,
            'secrets "x" is forbidden: User "me" cannot patch resource "secrets" in API group "" in the namespace "ns"',
        ),
        (403, 'secrets "x" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=1, limited: secrets=1'),
        (404, 'namespaces "ns" not found'),
        (409, 'Apply failed with 1 conflict: conflict with "kubectl-edit" using v1: .data.key'),
        (409, 'Operation cannot be fulfilled on secrets "x": the object has been modified'),
        (500, "etcdserver: leader changed"),
    ],
)
def test_what_kubernetes_says_of_a_secret_without_its_values_is_reported(status: int, reported: str) -> None:
    assert reported in str(refused("Secret ns/x", status, body(reported), secret=True))


@pytest.mark.parametrize(
    ("status", "answer", "webhook", "conflict", "namespace"),
    [
        (500, body("failed calling webhook x"), True, False, False),
        (500, body("boom"), False, False, False),
        (409, body("x", ("FieldManagerConflict", ".a", "b")), False, True, False),
        (409, body("x"), False, False, False),
        (404, body('namespaces "n" not found'), False, False, True),
        (404, body("x"), False, False, False),
    ],
)
def test_what_callers_act_on(status: int, answer: bytes, webhook: bool, conflict: bool, namespace: bool) -> None:
    error: Any = refused("X", status, answer)
    assert (error.is_webhook_down, error.is_field_conflict, error.is_missing_namespace) == (
        webhook,
        conflict,
        namespace,
    )
