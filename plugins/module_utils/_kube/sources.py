# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a cluster and its user are described: in files, in an option, or in a pod."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import AccessError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.entry import Entry
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.given import Given
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.kubeconfig import (
    Document,
    chosen,
    document_of,
    parse,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.service_account import service_account


@dataclass(frozen=True)
class Source:
    """A cluster and a user, and how errors call where they are described."""

    called: str
    cluster: Entry
    user: Entry


def find(options: Given, environment: Mapping[str, str]) -> Source:
    """Return the source that the options, or else the environment, name. Raises MastodonError."""
    kubeconfig, context, host = (
        options.values.get("kubeconfig"),
        options.text("context"),
        options.text("kubernetes_host"),
    )
    if host and options.has_credentials and not (options.is_of_task("kubeconfig") or options.is_of_task("context")):
        # As with kubernetes.core, these are enough.
        return Source(f"API server {host}", Entry(), Entry())
    if kubeconfig is None:
        kubeconfig = environment.get("KUBECONFIG") or _usual(environment) or None
    if kubeconfig is not None:
        return _described(kubeconfig, context, options)
    if context:
        raise MastodonError(options.called("context"), "cannot be used", "there is not a kubeconfig", "Set kubeconfig.")
    if host:
        # A pod's own account is none for other clusters.
        return Source(f"API server {host}", Entry(), Entry())
    if "KUBERNETES_SERVICE_HOST" in environment:
        return Source("Service account of this pod", *service_account(environment))
    raise MastodonError(
        "Kubernetes",
        "no kubeconfig",
        "neither the option kubeconfig, K8S_AUTH_KUBECONFIG, KUBECONFIG nor ~/.kube/config names one",
        "Set kubeconfig to the file of your cluster.",
    )


@contextmanager
def blaming(called: str) -> Iterator[None]:
    """Turn what is wrong with a configuration into the sentence that names it."""
    remedy = "Check the file and the context." if called.startswith("Kubeconfig") else "Correct it."
    try:
        yield
    except AccessError as error:
        raise MastodonError(called, "cannot be used", str(error), remedy) from error
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        raise MastodonError(called, "cannot be used", "it is not laid out as a kubeconfig is", remedy) from error


def is_content(kubeconfig: Any) -> bool:
    """Whether a kubeconfig is given itself, as a mapping or text, in place of the name of a file."""
    if isinstance(kubeconfig, str):
        return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")
    return isinstance(kubeconfig, Mapping)


def _usual(environment: Mapping[str, str]) -> str:
    usual = Path(environment.get("HOME", "~")).expanduser() / ".kube/config"
    return str(usual) if usual.is_file() else ""


def _described(kubeconfig: Any, context: str, options: Given) -> Source:
    called = options.called("kubeconfig") if is_content(kubeconfig) else f"Kubeconfig {_listed(kubeconfig)}"
    with blaming(called):
        if not is_content(kubeconfig):
            documents = _files(kubeconfig, called)
        elif isinstance(kubeconfig, str):
            documents = [parse(kubeconfig, "it", Path())]
        else:
            documents = [document_of(kubeconfig, "it", Path())]
        return Source(called, *chosen(documents, context))


def _listed(kubeconfig: Any) -> str:
    """Return the names of files as KUBECONFIG has them."""
    names = kubeconfig if isinstance(kubeconfig, list) else [kubeconfig]
    if not names or not all(isinstance(name, str) and not is_content(name) for name in names):
        remedy = "Write a path, a list of paths, or the content as a mapping."
        raise MastodonError("Option kubeconfig", "is neither a file nor a kubeconfig", "", remedy)
    return ":".join(names)


def _files(kubeconfig: Any, called: str) -> list[Document]:
    # Of several files some may be absent.
    documents = []
    for part in _listed(kubeconfig).split(":"):
        file = Path(os.path.expandvars(part)).expanduser()
        if not part:
            continue
        try:
            documents.append(parse(file.read_bytes().decode(), str(file), file.parent))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise MastodonError(called, "cannot be read", error.strerror or "", "Check its owner and mode.") from error
    if not documents:
        raise MastodonError(called, "does not exist", "", "Set kubeconfig to the file of your cluster.")
    return documents
