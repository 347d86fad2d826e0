# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in a pod, as `kubectl exec` runs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.config import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.core import POD
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import (
    Object,
    Selection,
    open_objects,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.stream import open_stream
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import (
    WrongShapeError,
    checked,
    objects,
    parsed,
)

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import websocket

# The first byte of each message says whose it is: https://kubernetes.io/docs/reference/using-api/api-concepts/
STDIN, STDOUT, STDERR, STATUS = b"\x00", b"\x01", b"\x02", b"\x03"
# By which kubectl finds it: https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-default-container
_MAIN = "kubectl.kubernetes.io/default-container"


class NotStartedError(MastodonError):
    """A command cannot be run in a pod, such as for there is none of its name."""


@dataclass(frozen=True)
class Finished:
    """What a command left. Its output may hold a secret, and is not shown."""

    code: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)


def ready_pod(connection: Connection, namespace: str, labels: Mapping[str, str]) -> str:
    """Return the name of a ready pod with these labels. Raises MastodonError when there is none."""
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    for pod in open_objects(connection).read(Selection(POD, namespace, labels=selector)).objects:
        if _is_ready(pod):
            return str(pod["metadata"]["name"])
    remedy = f"Check them: kubectl get pods -n {namespace} -l {selector}."
    raise MastodonError(f"Pods {namespace}/{selector}", "none is ready", "", remedy)


def _is_ready(pod: Object) -> bool:
    try:
        conditions = objects(pod, "status", "conditions")
    except WrongShapeError:
        return False
    return not pod["metadata"].get("deletionTimestamp") and any(
        (condition.get("type"), condition.get("status")) == ("Ready", "True") for condition in conditions
    )


def main_container(connection: Connection, namespace: str, name: str) -> str:
    """Return the container that kubectl would take. Raises MastodonError when there is no such pod."""
    for pod in open_objects(connection).read(Selection(POD, namespace, name)).objects:
        annotations = checked(pod, "metadata", "annotations", kind=dict, default={})
        return str(annotations.get(_MAIN) or objects(pod, "spec", "containers")[0]["name"])
    remedy = f"Name one of these: kubectl get pods -n {namespace}."
    raise MastodonError(f"Pod {namespace}/{name}", "does not exist", "", remedy)


def clock(connection: Connection, namespace: str, pod: str, seconds: int) -> datetime:
    """Return what time it is in a pod's main container. Raises MastodonError when it does not say."""
    done = run(connection, namespace, pod, main_container(connection, namespace, pod), ("date", "-u", "+%s"), seconds)
    if done.code or not done.stdout.strip().isdecimal():
        raise MastodonError(f"Pod {namespace}/{pod}", "does not say what time it is", done.stderr.strip()[:200], "")
    return datetime.fromtimestamp(int(done.stdout), UTC)


def run(
    connection: Connection,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    seconds: int = 300,
    typed: str = "",
) -> Finished:
    """Run a command in a container of the pod. Raises MastodonError when it cannot be run or does not end.

    The container is named always: without, the API server refuses a pod that has a second one. What is `typed` the command reads; it must
    know by that when it is over, as nothing can end it: https://github.com/kubernetes/kubernetes/issues/89899
    """
    subject = f"Pod {namespace}/{pod}"
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec?{_query(container, command, reads=bool(typed))}"
    try:
        with within(seconds), closing(open_stream(connection, path, seconds)) as stream:
            if typed:
                stream.send_binary(STDIN + typed.encode())
            said = _collected(stream)
    except (OSError, ValueError, websocket.WebSocketException) as error:
        remedy = f"Allow the kubeconfig's user to get and create pods/exec in namespace {namespace}."
        raise MastodonError(subject, f"{command[0]} cannot be run in it", str(error), remedy) from error
    if not said[STATUS]:
        raise MastodonError(subject, f"{command[0]} was cut off", "the connection ended before it did", "Run again.")
    code = _ended(subject, command[0], said[STATUS])
    return Finished(code, *(said[channel].decode(errors="replace") for channel in (STDOUT, STDERR)))


def _query(container: str, command: Sequence[str], *, reads: bool) -> str:
    asked = {"container": container, "command": command, "stdout": "true", "stderr": "true"}
    return urlencode({**asked, "stdin": "true"} if reads else asked, doseq=True)


def _ended(subject: str, name: str, status: bytes) -> int:
    try:
        return _code(subject, parsed(status))
    except WrongShapeError as error:
        raise MastodonError(subject, f"how {name} ended cannot be understood", str(error), "Run again.") from error


def _collected(stream: websocket.WebSocket) -> dict[bytes, bytes]:
    said = {STDOUT: b"", STDERR: b"", STATUS: b""}
    for message in _messages(stream):
        if message[:1] in said:
            said[message[:1]] += message[1:]
    return said


def _messages(stream: websocket.WebSocket) -> Iterator[bytes]:
    with suppress(websocket.WebSocketConnectionClosedException):
        # An empty one is the end.
        while message := stream.recv():
            yield message if isinstance(message, bytes) else message.encode()


def _code(subject: str, status: object) -> int:
    if checked(status, "status", kind=str) == "Success":
        return 0
    for cause in objects(status, "details", "causes"):
        if cause.get("reason") == "ExitCode" and str(cause.get("message")).isdecimal():
            return int(cause["message"])
    message = checked(status, "message", kind=str, default="")
    raise NotStartedError(subject, "a command cannot be run in it", message, "Check the pod.")
