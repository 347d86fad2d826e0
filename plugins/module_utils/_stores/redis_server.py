# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a Redis-compatible server may hold Mastodon's jobs."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError, one_line
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.bounded import watched, within
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError, checked
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import (
    RefusedLoginError,
    Server,
    is_older,
    making_sense,
    senseless,
)

# Ansible's own checks import every file without these; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

# Since Mastodon 4.4: https://github.com/mastodon/mastodon/releases/tag/v4.4.0
OLDEST = "6.2"
_SECONDS = 15
_WHOLE_SECONDS = 60
# Of a queue with millions of jobs.
_EMPTYING_SECONDS = 600
_BATCH = 1000
# Sidekiq's queues, and what it does later or has given up: https://github.com/sidekiq/sidekiq/wiki/API
_QUEUES = "queue:*"
_LATER = ("schedule", "retry", "dead")
# Locks of jobs, Rails' cache, and home timelines, which are lists of posts:
# https://github.com/mhenrixon/sidekiq-unique-jobs, https://github.com/mastodon/mastodon/blob/main/lib/mastodon/redis_configuration.rb,
# https://github.com/mastodon/mastodon/blob/main/app/lib/feed_manager.rb
_CACHES = ("uniquejobs:*", "cache:*", "feed:*")
# Whom those are who give a password and no name.
_USER = "default"


def ask(server: Server, password: str) -> Mapping[str, Any]:
    """Return what the server says of itself. Raises OSError when there is no way to it, MastodonError when it refuses."""
    with _session(server, password, "INFO", _WHOLE_SECONDS) as client:
        return _parsed(client.info())


def admit(server: Server, password: str, new: str) -> None:
    """Let in whoever knows the `new` password, beside those who know the present one. Raises as `ask` does.

    Both Redis and Dragonfly keep a set of passwords for a user, until they start again:
    https://redis.io/docs/latest/commands/acl-setuser/, https://www.dragonflydb.io/docs/command-reference/acl/setuser
    """
    with _session(server, password, "ACL SETUSER", _WHOLE_SECONDS, hands_over=True) as client:
        client.execute_command("ACL SETUSER", _USER, f">{new}")


def dismiss(server: Server, password: str, old: str) -> None:
    """Let nobody in any more by the `old` password; who is in stays in. Raises as `ask` does."""
    with _session(server, password, "ACL SETUSER", _WHOLE_SECONDS, hands_over=True) as client:
        client.execute_command("ACL SETUSER", _USER, f"<{old}")


@dataclass(frozen=True)
class Emptied:
    """How many jobs were thrown away, and how many keys in all."""

    jobs: int
    keys: int


def empty(server: Server, password: str) -> Emptied:
    """Delete what Mastodon queued and cached, and nothing else. Raises as `ask` does."""
    with _session(server, password, "SCAN, LLEN, ZCARD and UNLINK", _EMPTYING_SECONDS) as client:
        jobs = sum(client.llen(key) for key in client.scan_iter(_QUEUES, count=_BATCH))
        jobs += sum(client.zcard(key) for key in _LATER)
        keys = sum(_unlink(client, pattern) for pattern in (_QUEUES, "queues", *_LATER, *_CACHES))
    return Emptied(jobs, keys)


def _unlink(client: redis.Redis, pattern: str) -> int:
    found = list(client.scan_iter(pattern, count=_BATCH))
    return sum(client.unlink(*found[begin : begin + _BATCH]) for begin in range(0, len(found), _BATCH))


def save(server: Server, password: str) -> None:
    """Have a snapshot written of what is there now, from which it would begin again. Raises as `ask` does."""
    with _session(server, password, "SAVE", _EMPTYING_SECONDS) as client:
        client.execute_command("SAVE")


@contextmanager
def _session(
    server: Server, password: str, command: str, seconds: float, *, hands_over: bool = False
) -> Iterator[redis.Redis]:
    """Log in for a command, which `hands_over` a password or not."""
    needs("redis")
    pool = redis.ConnectionPool(
        connection_class=_dialling(lambda: server.open(_SECONDS)),
        host=server.host,
        port=server.port,
        password=password,
        socket_timeout=_SECONDS,
        socket_connect_timeout=_SECONDS,
        # Whoever asks does so again where there is a point in it.
        retry=Retry(NoBackoff(), 0),
    )
    is_shown = False
    try:
        with (
            within(seconds),
            making_sense(server, redis.RedisError),
            # One that logs in at once.
            redis.Redis(connection_pool=pool, single_connection_client=True) as client,
        ):
            is_shown = not hands_over
            yield client
    except redis.RedisError as error:
        raise _refusal(server, command, error, str(error) if is_shown else _kind(error)) from None


def _refusal(server: Server, command: str, error: Exception, why: str) -> Exception:
    if isinstance(error, redis.AuthenticationError):
        return RefusedLoginError(str(server), "does not accept the password", why, server.remedy)
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
        return OSError(one_line(why))
    if isinstance(error, redis.ResponseError):
        return MastodonError(str(server), "refuses to be asked", why, f"Allow its user to run {command}.")
    return senseless(server, error)


def _kind(error: Exception) -> str:
    """Return what can be shown of an answer to a password, which a server quotes when it does not know the command, for example.

    https://github.com/redis/redis/blob/8.0.0/src/server.c, https://github.com/redis/redis/blob/8.0.0/src/acl.c
    """
    if type(error) in (redis.ConnectionError, redis.TimeoutError):
        # No server said that.
        return str(error)
    if isinstance(error, redis.BusyLoadingError):
        return "it is still loading what it holds"
    if isinstance(error, redis.exceptions.NoPermissionError):
        return "its user has no right to"
    return "it does not know the command" if str(error).startswith("unknown command") else ""


def _parsed(info: object) -> Mapping[str, Any]:
    found = checked(info, kind=dict)
    # Its library makes numbers of what looks like one.
    if not re.match(r"\d+(\.\d+)*", str(found.get("redis_version"))):
        raise WrongShapeError("redis_version of its answer is not a version")
    return found


def refuse_tls(server: Server) -> None:
    """Raise MastodonError for a server that speaks TLS only, before anybody sends it the password in the clear."""
    if _speaks_plainly(server) or not _speaks_tls(server):
        return
    # https://github.com/mastodon/helm-charts/blob/main/charts/mastodon/templates/_env.tpl
    why = "it accepts connections with TLS only, and the official chart gives Mastodon no address of such a one"
    remedy = "Open a port without TLS to the cluster's network alone, or set dragonfly_backend to dragonfly."
    raise MastodonError(str(server), "cannot be used by Mastodon", why, remedy)


def _opened(server: Server) -> socket.socket:
    opened = server.open(_SECONDS)
    opened.settimeout(_SECONDS)
    return opened


def _speaks_plainly(server: Server) -> bool:
    # It answers, or says that it wants a login first.
    with _opened(server) as link, suppress(OSError):
        link.sendall(b"PING\r\n")
        return link.recv(1) in (b"+", b"-")
    return False


def _speaks_tls(server: Server) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with _opened(server) as link:
        try:
            context.wrap_socket(link, server_hostname=server.host).close()
        except ssl.SSLError as error:
            # One that wants a certificate of ours speaks TLS, too.
            return "ALERT" in (error.reason or "")
        except OSError:
            return False
    return True


def verdict(server: Server, answer: Mapping[str, Any]) -> str:
    """Return what was found well. Raises MastodonError for a server that is too old, or throws jobs away."""
    version = str(answer["redis_version"])
    if is_older(version, OLDEST):
        remedy = f"Upgrade it to {OLDEST} or newer."
        raise MastodonError(str(server), "is too old", f"it is {version}", remedy)
    policy = str(answer.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction" or answer.get("cache_mode") == "cache":
        # https://github.com/sidekiq/sidekiq/wiki/Using-Redis#memory
        why = f"its maxmemory-policy is {policy}, so it throws jobs away when memory is short"
        remedy = "Set maxmemory-policy to noeviction (Dragonfly: cache_mode to false), or give Mastodon another server."
        raise MastodonError(str(server), "may not hold jobs", why, remedy)
    return f"{server} is {version} and evicts nothing"


def _dialling(dial: Callable[[], socket.socket]) -> type[Any]:
    return type("Connection", (redis.Connection,), {"_connect": lambda _self: watched(dial())})
