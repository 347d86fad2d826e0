# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner's account: made once by `tootctl`, its password kept in Vault, and never touched again.

`tootctl` makes up the password itself. So that none is lost, an entry of ours without a password says in Vault that the
account is about to be made: a run that finds one gives the account a new password, as nobody can know the first. That is ours only
with the address of the entry, as anybody may have taken the name meanwhile. An account that was there before the entry is somebody's,
and stays as it is; so does an entry that is not ours.

What `tootctl` prints when it makes an account is quoted nowhere, as it may hold the password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch import stores
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec as pods
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import (
    KV_OPTIONS,
    RELEASE_OPTIONS,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.web_pod import in_web_pod
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import client as vault
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import kv

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        **RELEASE_OPTIONS,
        "username": {"type": "str", "required": True},
        "email": {"type": "str", "required": True},
        "role": {"type": "str", "default": "Owner"},
        "path": {"type": "str", "required": True},
        "database": {
            "type": "dict",
            "required": True,
            "options": {
                "host": {"type": "str", "required": True},
                **{
                    name: stores.OPTIONS["options"][name]
                    for name in ("port", "username", "database", "path", "sslmode")
                },
            },
        },
    }
)

_PASSWORD = re.compile(r"^New password: (\S+)\s*$", re.MULTILINE)
_UNKNOWN = re.compile("no user with such username", re.IGNORECASE)
# Of a database whose first `db:prepare` ended before it had sown them: Rails seeds only in the very run that makes the schema.
_UNSEEDED = re.compile("cannot find user role", re.IGNORECASE)
# Of what is wrong with an account, in the words of Mastodon: https://github.com/mastodon/mastodon/blob/main/config/locales/activerecord.en.yml
_REASON = re.compile(
    "taken|reserved|disallowed|blocked|unreachable|seem to exist|only letters|invalid|too long|too short"
)
# As tootctl makes passwords; an error message has no reason to hold one, and is not trusted not to.
_LIKE_A_PASSWORD = re.compile(r"[0-9A-Za-z]{16,}")
# In an entry of ours.
_MARK = {"made-by": "fediverse.mastodon"}
_ROUNDS = 5

Tootctl = Callable[..., pods.Finished]


@dataclass(frozen=True)
class Mastodon:
    """What is run in a pod of web: `tootctl` with arguments, and db/seeds, which find what is there already.

    `address` asks the database for the mail address of who has the account.
    """

    tootctl: Tootctl
    seed: Callable[[], pods.Finished]
    address: Callable[[], str]


@dataclass(frozen=True)
class Owner:
    """Whom to make, and how errors call the path that keeps the password."""

    username: str
    email: str
    role: str
    path: str


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Make the account that is not there yet and return `{changed, action, path}`, never a password."""
    server = vault.connect(parameters, run.environment)
    mount, path = parameters["mount"], parameters["path"]
    owner = Owner(parameters["username"], parameters["email"], parameters["role"], f"{mount}/{path}")
    stored = kv.read(server, mount, path)
    action = _action_of(stored, owner)
    if action == "created" and not run.check:
        action = _make(
            owner,
            _mastodon(parameters, run, server),
            lambda: kv.read(server, mount, path),
            _writer(server, mount, path),
        )
    if action != "unchanged":
        run.say(
            f"{action} account {owner.username}: password at Vault path {owner.path}"
            if action == "created"
            else f"adopted account {owner.username}, which was there before: its password is its owner's"
        )
    return {"changed": action != "unchanged", "action": action, "path": owner.path}


def _action_of(stored: kv.Stored, owner: Owner) -> str:
    if stored.gone:
        raise MastodonError(
            f"Vault path {owner.path}",
            "is deleted",
            f"it holds the password of account {owner.username}, which is created only once",
            f"Bring it back: bao kv undelete -versions={stored.version} {owner.path}.",
        )
    _refuse_foreign(stored, owner)
    return "unchanged" if _is_finished(stored) else "created"


def _is_finished(stored: kv.Stored) -> bool:
    return bool(stored.data.get("password") or stored.data.get("adopted"))


def _refuse_foreign(stored: kv.Stored, owner: Owner) -> None:
    """Raise MastodonError for an entry that was not made here for this account: acting on it would reset somebody's password."""
    # Of a finished one the account's name is mark enough, as nothing is done about it.
    is_marked = stored.data.items() >= _MARK.items() or _is_finished(stored)
    if not stored.version or (is_marked and stored.data.get("username") == owner.username):
        return
    raise MastodonError(
        f"Vault path {owner.path}",
        "is not touched",
        f"what it holds was not put there for account {owner.username}",
        "Set mastodon_admin_vault_path to another path, or delete this one if nobody needs it.",
    )


def _writer(server: vault.Vault, mount: str, path: str) -> Callable[[Mapping[str, str], int], None]:
    def write(data: Mapping[str, str], version: int) -> None:
        kv.write(server, mount, path, data, version)

    return write


def _make(
    owner: Owner,
    mastodon: Mastodon,
    read: Callable[[], kv.Stored],
    write: Callable[[Mapping[str, str], int], None],
) -> str:
    """Make the account, or give the one that an earlier run made but could not give a password. Returns the action."""
    entry = {**_MARK, "username": owner.username, "email": owner.email}
    for _round in range(_ROUNDS):
        stored = read()
        _refuse_foreign(stored, owner)
        there = _is_there(owner, mastodon.tootctl)
        try:
            if not stored.version and there:
                write({**entry, "adopted": "true"}, 0)
                return "adopted"
            if there:
                _refuse_stranger(owner, mastodon, stored)
            if not stored.version:
                write(entry, 0)
                stored = read()
            password = _new_password(owner, mastodon, there=there)
            write({**entry, "password": password}, stored.version)
        except kv.LostRaceError:
            # Another run is at it. Its password may be older than ours, so whoever comes last makes another one.
            continue
        return "created"
    raise MastodonError(f"Vault path {owner.path}", "is written by others all the time", "", "Run again.")


def _refuse_stranger(owner: Owner, mastodon: Mastodon, stored: kv.Stored) -> None:
    """Raise MastodonError unless the account is the one that the entry was made for: its password would be reset."""
    remedy = f"If it is yours, run bao kv metadata delete {owner.path}: it is then left as it is. If not, set mastodon_admin_username, too."
    try:
        address = mastodon.address()
    except stores.NotAskedError as error:
        why = f"{error.subject} cannot be asked for its address: {error.why}"
        raise MastodonError(f"Account {owner.username}", "may be somebody else's", why, remedy) from error
    if address.lower() in {owner.email.lower(), stored.data.get("email", owner.email).lower()}:
        return
    why = (
        f"it has another address than mastodon_admin_email, and was made while {owner.path} had no password for it yet"
    )
    raise MastodonError(f"Account {owner.username}", "is not touched", why, remedy)


def _is_there(owner: Owner, tootctl: Tootctl) -> bool:
    # Without an option it changes nothing and says whether there is such an account.
    asked = tootctl("accounts", "modify", owner.username)
    if asked.code and not _UNKNOWN.search(asked.stdout + asked.stderr):
        raise _failed(owner, "cannot be looked up", f"{asked.stderr} {asked.stdout}".strip(), asked)
    return asked.code == 0


def _new_password(owner: Owner, mastodon: Mastodon, *, there: bool) -> str:
    # Confirmed: mail may not work yet. Approved: with registrations closed it would wait for itself.
    tootctl = mastodon.tootctl
    reset = ("accounts", "modify", owner.username, "--confirm", "--approve", "--reset-password")
    done = tootctl(*reset) if there else _created(owner, mastodon)
    found = _PASSWORD.search(done.stdout)
    if done.code and not there and _is_there(owner, tootctl):
        # Another run made it meanwhile.
        raise kv.LostRaceError
    if done.code or not found:
        reasons = ", ".join(dict.fromkeys(_REASON.findall(f"{done.stdout} {done.stderr}")))
        message = reasons or _LIKE_A_PASSWORD.sub("…", done.stderr).strip() if done.code else "it printed no password"
        raise _failed(owner, "cannot be made", message, done)
    return found[1]


def _created(owner: Owner, mastodon: Mastodon) -> pods.Finished:
    command = ("accounts", "create", owner.username, "--email", owner.email)
    options = ("--confirmed", "--approve", "--role", owner.role)
    done = mastodon.tootctl(*command, *options)
    if done.code and _UNSEEDED.search(done.stdout + done.stderr) and not mastodon.seed().code:
        return mastodon.tootctl(*command, *options)
    return done


def _failed(owner: Owner, what: str, message: str, done: pods.Finished) -> MastodonError:
    why = f"tootctl ended with {done.code}" + (f": {message}" if message else "")
    remedy = "Correct mastodon_admin_username or mastodon_admin_email."
    if _UNSEEDED.search(message):
        remedy = "See what `bundle exec rake db:seed` says in a pod of web, which makes the roles."
    elif "unreachable" in message:
        remedy = f"Pods must find the mail server (MX, A or AAAA) of {owner.email.rpartition('@')[2]} in DNS, or correct mastodon_admin_email."
    return MastodonError(f"Account {owner.username}", what, why, remedy)


def _mastodon(parameters: Mapping[str, Any], run: Run, server: vault.Vault) -> Mastodon:
    connection = connect(parameters, run.environment)
    command = in_web_pod(connection, parameters["namespace"], parameters["name"])
    place = {**parameters["database"], "direct_host": parameters["database"]["host"], "password": ""}
    servers = stores.Asked(
        lambda path: kv.read(server, parameters["mount"], path).data.get("password", ""), connection, run.say
    )
    return Mastodon(
        lambda *arguments: command(["tootctl", *arguments]),
        lambda: command(["bundle", "exec", "rake", "db:seed"]),
        lambda: servers.contents(place, lambda reader: reader.address_of(parameters["username"])),
    )


TASK = Task(ARGUMENTS, run_task)
