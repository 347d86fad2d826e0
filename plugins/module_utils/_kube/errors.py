# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server's refusals mean, or its silence, as one sentence each."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, innermost, shortened
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import (
    WrongShapeError,
    checked,
    objects,
    parsed,
)

# Ansible's own checks import every file without it; `needs` says in one sentence what is missing.
with suppress(ImportError):
    from urllib3.exceptions import SSLError


@dataclass(frozen=True)
class Cause:
    """One entry of `details.causes` of a Kubernetes `Status`."""

    reason: str
    field: str
    message: str


class ApiError(MastodonError):
    """The API server answered a request with an error. `status` is the HTTP code.

    `message` is what it said, to decide by and never to be shown: it may quote a secret.
    """

    def __init__(
        self,
        subject: str,
        failed: str,
        why: str,
        remedy: str,
        *,
        status: int,
        causes: tuple[Cause, ...] = (),
        message: str = "",
    ) -> None:
        super().__init__(subject, failed, why, remedy)
        self.status = status
        self.causes = causes
        self.message = message or why

    def advising(self, remedy: str) -> ApiError:
        """Return the same error with another next step."""
        words = (self.subject, self.failed, self.why, remedy)
        return ApiError(*words, status=self.status, causes=self.causes, message=self.message)

    @property
    def is_forbidden(self) -> bool:
        """Whether this user lacks the right."""
        return self.status == 403

    @property
    def is_webhook_down(self) -> bool:
        """Whether an admission webhook did not answer; it may still be starting."""
        return self.status == 500 and "failed calling webhook" in self.message

    @property
    def is_field_conflict(self) -> bool:
        """Whether other field managers own fields of a server-side apply."""
        return self.status == 409 and any(cause.reason == "FieldManagerConflict" for cause in self.causes)

    @property
    def is_missing_namespace(self) -> bool:
        """Whether the object's namespace does not exist."""
        return self.status == 404 and bool(_NO_NAMESPACE.search(self.message))

    @property
    def is_immutable(self) -> bool:
        """Whether what was to be changed can be set only when an object is created."""
        return self.status == 422 and bool(_IMMUTABLE.search(self.message))


@dataclass(frozen=True)
class _Refusal:
    status: int
    message: str
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class _Meaning:
    applies: Callable[[_Refusal], bool]
    failed: str
    remedy: str


_WEBHOOK = re.compile(r"failed calling webhook .*?https://([^./]+)\.([^./]+)\.svc")
_WEBHOOK_REMEDY = (
    "Check the pods of Service {1}/{0}; without any, install what the webhook belongs to, or remove its configuration."
)
_NO_NAMESPACE = re.compile(r'namespaces "[^"]*" not found')
# Each kind says it in its own words: a Job, a claim, a StatefulSet, a binding of a role.
_IMMUTABLE = re.compile(
    r"immutable|updates to \w+ spec for fields other than|cannot change roleRef|may not change once set"
)
# Of a webhook that does not answer, its name is no secret, nor what the network said.
_NAMED_WEBHOOK = re.compile(r'failed calling webhook "[^"]*"|admission webhook "[^"]*" denied the request')
# What Kubernetes itself says of a Secret without a value of it. Whatever else answers, a webhook or a proxy, may quote all of it.
_OPEN = re.compile(
    r'\S+ "[^"]*" is forbidden: (User "[^"]*" cannot |exceeded quota: |unable to create new content )|\S+ "[^"]*" not found$'
    r"|Unauthorized$|Apply failed with \d+ conflict|Operation cannot be fulfilled on |etcdserver: |the server is currently unable"
)
_CAUSE = ("reason", "field", "message")
_LONGEST_CAUSE = 200
_END_OF_CAUSE = 120
# Of a page only what people read in it.
_BEGINNING = 500
_PAGE = re.compile(r"<[^>]*(>|$)")


def _says(*statuses: int, text: str = "") -> Callable[[_Refusal], bool]:
    pattern = re.compile(text)
    return lambda refusal: (not statuses or refusal.status in statuses) and bool(pattern.search(refusal.message))


# The first that applies wins.
_MEANINGS = (
    _Meaning(_says(401), "refused the credentials (401)", "Check the user in the kubeconfig."),
    _Meaning(
        _says(403, text="exceeded quota"), "does not fit the namespace's quota", "Raise the quota or ask for less."
    ),
    _Meaning(
        lambda refusal: any(cause.reason == "NamespaceTerminating" for cause in refusal.causes),
        "its namespace is being deleted",
        "Wait until the namespace is gone, or find what holds it: kubectl get namespace NAME -o yaml.",
    ),
    _Meaning(
        _says(text="violates PodSecurity"),
        "is forbidden by Pod Security",
        "Change the object or the namespace's level.",
    ),
    _Meaning(
        _says(text="denied (the )?request|admission webhook|ValidatingAdmissionPolicy"),
        "was denied by an admission policy",
        "Change the object as the policy asks.",
    ),
    _Meaning(_says(403), "is not permitted (403)", "Give this user the right, or use another kubeconfig."),
    _Meaning(_says(404, text=_NO_NAMESPACE.pattern), "has no namespace", "Add the Namespace to the same set."),
    _Meaning(_says(404), "was not found", "It, or its kind, was removed meanwhile: run again."),
    _Meaning(_says(409), "conflicts with another writer", "Run again."),
    _Meaning(_says(413), "is too large for the API server", "Split the object."),
    _Meaning(_says(422), "is invalid", "Correct these fields."),
    _Meaning(
        _says(text="failed to (create typed patch|convert new object)|strict decoding"),
        "is invalid",
        "Correct this field.",
    ),
    _Meaning(_says(500, text="failed calling webhook"), "an admission webhook does not answer", "Check its pods."),
    _Meaning(_says(429, 503), "the API server is overloaded or starting", "Run again later."),
    _Meaning(_says(), "the API server answered with an error", "Check the API server's log."),
)


def refused(subject: str, status: int, body: bytes, *, secret: bool = False) -> ApiError:
    """Explain a response. `secret` keeps values out of the sentence, as the API server quotes what it refuses."""
    refusal = _parse(status, body)
    meaning = next(meaning for meaning in _MEANINGS if meaning.applies(refusal))
    webhook = _WEBHOOK.search(refusal.message)
    remedy = _WEBHOOK_REMEDY.format(*webhook.groups()) if webhook else meaning.remedy
    why = _why(refusal)
    if secret and not _OPEN.match(refusal.message):
        why = _without_values(refusal)
    return ApiError(subject, meaning.failed, why, remedy, status=status, causes=refusal.causes, message=refusal.message)


def _without_values(refusal: _Refusal) -> str:
    if webhook := _NAMED_WEBHOOK.search(refusal.message):
        return webhook[0]
    return ", ".join(sorted({cause.field for cause in refusal.causes if cause.field})) or "its content is not shown"


def _parse(status: int, body: bytes) -> _Refusal:
    try:
        answer = checked(parsed(body), kind=dict)
        causes = tuple(
            Cause(*(_text(cause.get(name)) for name in _CAUSE)) for cause in objects(answer, "details", "causes")
        )
    except WrongShapeError:
        # A proxy or load balancer before the API server answers in its own words.
        return _Refusal(status, f"HTTP {status} {_PAGE.sub(' ', body[:_BEGINNING].decode(errors='replace'))}", ())
    return _Refusal(status, _text(answer.get("message")) or _text(answer.get("reason")) or f"HTTP {status}", causes)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _why(refusal: _Refusal) -> str:
    if refusal.status == 422 and refusal.causes:
        causes = (": ".join(part for part in (cause.field, cause.message) if part) for cause in refusal.causes)
        # The cause comes after the value, which may be all of an object.
        return "; ".join(shortened(cause, _LONGEST_CAUSE, _END_OF_CAUSE) for cause in causes)
    return refusal.message


def unreachable(host: str, error: Exception) -> MastodonError:
    """Explain why there was no answer."""
    subject = f"API server {host}"
    if isinstance(error, SSLError):
        remedy = "Check certificate-authority and client-certificate in the kubeconfig."
        return MastodonError(subject, "TLS failed", _innermost(error), remedy)
    return MastodonError(
        subject, "cannot be reached", _innermost(error), "Check the address in the kubeconfig and that it is up."
    )


def _innermost(error: BaseException) -> str:
    """Return the cause without urllib3's wrapping of it."""
    if isinstance(error, TimeoutError):
        return str(error)
    reason = getattr(error, "reason", None) or error.__cause__ or error.__context__
    while isinstance(reason, BaseException) and not isinstance(error, ssl.SSLError):
        error, reason = reason, reason.__cause__ or reason.__context__
    return innermost(error)
