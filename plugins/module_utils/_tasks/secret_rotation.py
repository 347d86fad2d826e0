# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.secret_rotation`: one step of a secret's way to another value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import rotated
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rotated import Rotated
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import Book, now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import KV_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating import Patience, Store
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.rotating_stores import (
    STORES,
    store_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import generate, kv, rotation
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.rotation import Rotation
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.secrets import fingerprint

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        # What it is called, not what it is.
        "secret": {"type": "str", "required": True, "no_log": False},
        "step": {"type": "str", "choices": ["prepare", "promote", "finish"], "default": "prepare"},
        "accepted": {"type": "str", "default": ""},
        # Paths and names, not secrets.
        "path": {"type": "str", "required": True, "no_log": False},
        "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
        "fingerprint_key": {"type": "str", "required": True, "no_log": False},
        "generate": {"type": "dict", "default": {}},
        "vapid": {"type": "bool", "default": False},
        "may_stay": {"type": "list", "elements": "str", "default": []},
        "given": {"type": "list", "elements": "str", "default": []},
        **STORES,
        "wait_timeout": {"type": "int", "default": 600},
    },
    mutually_exclusive=(tuple(STORES),),
)


class Step:
    """One step of one secret, with what it takes."""

    def __init__(self, parameters: Mapping[str, Any], run: Run) -> None:
        self.parameters, self.run = parameters, run
        self.connection = connect(parameters, run.environment)
        self.server = vault.connect(parameters, run.environment)
        self.secret = str(parameters["secret"])
        self.store: Store = store_of(parameters, self.connection, Patience(Deadline(parameters["wait_timeout"]), run))

    def read(self) -> Rotation:
        """Return how far it is."""
        given = self.parameters
        return rotation.read(self.server, given["mount"], given["path"], given["keys"], given["may_stay"])

    def change(self, old: Mapping[str, str], new: Mapping[str, str]) -> str:
        """Return which value becomes which, by fingerprints."""
        given = self.parameters
        salt = kv.read(self.server, given["mount"], given["fingerprint_key"]).data.get("key", "")

        def shown(key: str, value: str) -> str:
            return fingerprint(salt, given["path"], key, value) if salt and value else "…"

        return ", ".join(f"{key} {shown(key, old[key])} → {shown(key, new.get(key, ''))}" for key in old)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, state, change}`; `state` is how far the secret is by now."""
    rotated.refuse(parameters["secret"], parameters["accepted"])
    step = Step(parameters, run)
    place = rotated.place_of(parameters["namespace"], parameters["name"], step.secret)
    book = Book(open_objects(step.connection), place, f"Secret {step.secret}", run)
    book.refuse_foreign()
    with book.failing(lambda why: asdict(Rotated(written(now()), step.secret, failure=why))):
        if parameters["step"] == "prepare":
            return _prepare(step)
        if run.check:
            return {"changed": True, "state": "planned", "change": ""}
        return _promote(step) if parameters["step"] == "promote" else _finish(step, book)


def _prepare(step: Step) -> dict[str, Any]:
    """Let the next value in beside the present one, and prove it."""
    found, makes = step.read(), bool(step.parameters["generate"] or step.parameters["vapid"])
    _refuse_given(step)
    if found.is_promoted:
        would = "would go on" if step.run.check else "going on"
        step.run.say(f"{would} with {found}, whose new value an earlier run put in its place")
        state = "planned" if step.run.check else "promoted"
        return {"changed": True, "state": state, "change": step.change(found.previous, found.current)}
    rotation.refuse_unusable(found, gives=not makes)
    change = step.change(found.current, found.following)
    if step.run.check:
        step.run.say(f"would rotate {step.secret}: {change}, {'written to' if found.following else 'made at'} {found}")
        return {"changed": True, "state": "planned", "change": change}
    if not found.following:
        found = rotation.begin(step.server, found, _made(step))
    proof = step.store.admit(found.current, found.following)
    change = step.change(found.current, found.following)
    step.run.say(f"prepared {step.secret}: {change}; {proof}")
    return {"changed": True, "state": "prepared", "change": change}


def _refuse_given(step: Step) -> None:
    """Raise MastodonError when the inventory has the old value, which each run of site.yml would put back."""
    if both := sorted({*step.parameters["given"]} & {*step.parameters["keys"]}):
        why = f"it gives {', '.join(both)}, which the next run of fediverse.mastodon.site would put back"
        remedy = "Remove it there: Vault has it."
        raise MastodonError("Variable vault_given_secrets", "is in the way of a new value", why, remedy)


def _made(step: Step) -> dict[str, str]:
    keys = step.parameters["keys"]
    if step.parameters["vapid"]:
        return dict(zip(keys, generate.vapid_pair(), strict=True))
    return {key: generate.generate(step.parameters["generate"][key]) for key in keys}


def _promote(step: Step) -> dict[str, Any]:
    """Put the next value in the place of the present one, once it is proved again."""
    found = step.read()
    if not found.is_promoted:
        rotation.refuse_unusable(found, gives=True)
        step.store.admit(found.current, found.following)
        found = rotation.promote(step.server, found)
        step.run.say(f"configured {found}: {step.change(found.previous, found.current)}")
    return {"changed": True, "state": "promoted", "change": step.change(found.previous, found.current)}


def _finish(step: Step, book: Book) -> dict[str, Any]:
    """Let the previous value in no more, keep a record, and only then let go of it."""
    found = step.read()
    if not found.is_promoted:
        raise MastodonError(str(found), "has no new value in its place", "", "Begin with step prepare.")
    old = step.store.dismiss(found.current, found.previous)
    done = Rotated(written(now()), step.secret, step.change(found.previous, found.current), old)
    book.keep(asdict(done))
    rotation.finish(step.server, found)
    step.run.say(f"rotated {step.secret}: {done.line()}")
    return {"changed": True, "state": "done", "change": done.change}


TASK = Task(ARGUMENTS, run_task)
