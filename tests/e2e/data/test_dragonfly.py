# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dragonfly's stand-in: a Dragonfly becomes a Redis that wants its password and keeps what it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ...conftest import Lab
from ..smoke.support import Object, apply, namespace
from ..support import eventually

SPACE = "smoke-dragonfly"
PASSWORD = "opens the cache"
CONDITION = ".status.conditions[?(@.type=='Stalled')].message"


@pytest.fixture(scope="module")
def cache(installed: Lab) -> Iterator[Lab]:
    """The lab with one Dragonfly more than site.yml installed, ready."""
    with namespace(installed, SPACE):
        secret: Object = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "cache", "namespace": SPACE},
            "stringData": {"password": PASSWORD},
        }
        apply(installed, secret, dragonfly("cache"))
        wait(installed, "cache")
        reachable(installed)
        yield installed


def dragonfly(name: str, **more: Any) -> Object:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "dragonflydb.io/v1alpha1",
        "kind": "Dragonfly",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "replicas": 1,
            "image": "docker.dragonflydb.io/dragonflydb/dragonfly:v1.39.0",
            "args": ["--proactor_threads=1", "--default_lua_flags=allow-undeclared-keys"],
            "authentication": {"passwordFromSecret": {"name": "cache", "key": "password"}},
            "resources": {"limits": {"memory": "512Mi"}},
            "snapshot": {"cron": "*/5 * * * *", "persistentVolumeClaimSpec": claim},
            **more,
        },
    }


def wait(lab: Lab, name: str) -> None:
    eventually(
        lambda: lab.get("dragonfly", f"-n={SPACE}", name).get("status", {}).get("phase"), lambda phase: phase == "Ready"
    )


def ask(lab: Lab, *words: str, password: str = PASSWORD) -> str:
    """What the Service answers to one command."""
    inside = ("env", f"REDISCLI_AUTH={password}", "redis-cli", "--no-auth-warning", "-h", "cache", *words)
    return lab.kubectl("exec", f"-n={SPACE}", "cache-0", "--", *inside).strip()


def reachable(lab: Lab) -> None:
    """Wait until the Service leads to the pod: kube-proxy hears of an endpoint after the operator does."""
    ping = ("sh", "-c", "redis-cli -h cache PING 2>&1 || true")
    eventually(lambda: lab.kubectl("exec", f"-n={SPACE}", "cache-0", "--", *ping), lambda said: "NOAUTH" in said)


def test_it_answers_who_knows_the_password(cache: Lab) -> None:
    assert ask(cache, "SET", "greeting", "hello") == "OK"
    assert ask(cache, "GET", "greeting") == "hello"
    assert "NOAUTH" in ask(cache, "GET", "greeting", password="")
    assert "NOAUTH" in ask(cache, "GET", "greeting", password="another")


def test_it_keeps_its_data_when_its_pod_is_killed(cache: Lab) -> None:
    ask(cache, "SET", "kept", "yes")
    before = cache.get("pod", f"-n={SPACE}", "cache-0")["metadata"]["uid"]
    cache.kubectl("delete", "pod", f"-n={SPACE}", "cache-0", "--timeout=240s")
    eventually(
        lambda: cache.get("pod", f"-n={SPACE}", "cache-0", "--ignore-not-found"),
        lambda pod: (
            pod.get("metadata", {}).get("uid", before) != before and pod["metadata"]["labels"].get("role") == "master"
        ),
    )
    cache.kubectl("wait", f"-n={SPACE}", "pod/cache-0", "--for=condition=Ready", "--timeout=240s")
    reachable(cache)
    assert ask(cache, "GET", "kept") == "yes"


def restarted(lab: Lab, name: str = "cache") -> None:
    """End its pod in peace, which takes a snapshot, and wait for the next one."""
    before = lab.get("pod", f"-n={SPACE}", f"{name}-0")["metadata"]["uid"]
    lab.kubectl("delete", "pod", f"-n={SPACE}", f"{name}-0", "--timeout=240s")
    eventually(
        lambda: lab.get("pod", f"-n={SPACE}", f"{name}-0", "--ignore-not-found").get("metadata", {}),
        lambda pod: pod.get("uid", before) != before,
    )
    lab.kubectl("wait", f"-n={SPACE}", f"pod/{name}-0", "--for=condition=Ready", "--timeout=240s")


def files(lab: Lab, name: str) -> list[str]:
    return lab.kubectl("exec", f"-n={SPACE}", f"{name}-0", "--", "ls", "/dragonfly/snapshots").split()


def test_each_snapshot_stays_unless_their_name_is_fixed_and_what_was_kept_is_found_again(cache: Lab) -> None:
    apply(cache, dragonfly("kept"))
    wait(cache, "kept")
    inside = ("env", f"REDISCLI_AUTH={PASSWORD}", "redis-cli", "--no-auth-warning")
    cache.kubectl("exec", f"-n={SPACE}", "kept-0", "--", *inside, "SET", "kept", "yes")
    restarted(cache, "kept")
    restarted(cache, "kept")
    old = files(cache, "kept")
    assert len(old) == 2
    assert all(name.startswith("dump-20") for name in old)
    args = ["--proactor_threads=1", "--dbfilename=dump"]
    apply(cache, dragonfly("kept", args=args))
    eventually(lambda: cache.get("pod", f"-n={SPACE}", "kept-0", "--ignore-not-found"), lambda pod: asks(pod, args[1]))
    cache.kubectl("wait", f"-n={SPACE}", "pod/kept-0", "--for=condition=Ready", "--timeout=240s")
    restarted(cache, "kept")
    restarted(cache, "kept")
    assert [name for name in files(cache, "kept") if not name.startswith("dump-20")] == ["dump-summary.dfs"]
    assert cache.kubectl("exec", f"-n={SPACE}", "kept-0", "--", *inside, "GET", "kept").strip() == "yes"
    cache.kubectl("delete", "dragonfly", f"-n={SPACE}", "kept")


def asks(pod: Object, argument: str) -> bool:
    return any(argument in container["args"] for container in pod.get("spec", {}).get("containers", []))


def test_a_full_volume_ends_the_server_and_it_starts_no_more(cache: Lab) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    apply(cache, dragonfly("full", snapshot={"cron": "* * * * *", "persistentVolumeClaimSpec": claim}))
    wait(cache, "full")
    filler = "head -c 2000000 /dev/zero > /dragonfly/snapshots/dump-2026-01-01T00:00:00-0000.dfs"
    cache.kubectl("exec", f"-n={SPACE}", "full-0", "--", "sh", "-c", filler)
    eventually(
        lambda: cache.get("pod", f"-n={SPACE}", "full-0")["status"]["containerStatuses"][0]["restartCount"],
        lambda count: count > 1,
        180,
    )
    # Of what has just ended kubectl may find no log for a moment.
    eventually(
        lambda: cache.kubectl("logs", f"-n={SPACE}", "full-0", "--tail=5", "--previous"),
        lambda said: "No space left on device" in said,
    )
    cache.kubectl("delete", "dragonfly", f"-n={SPACE}", "full")


def test_a_replica_takes_over_with_the_data(cache: Lab) -> None:
    apply(cache, dragonfly("cache", replicas=2))
    eventually(
        lambda: cache.kubectl("get", "pods", f"-n={SPACE}", "-l=app=cache,role=replica", "-o=name").strip(),
        lambda found: found == "pod/cache-1",
    )
    wait(cache, "cache")
    ask(cache, "SET", "shared", "yes")
    cache.kubectl("delete", "pod", f"-n={SPACE}", "cache-0", "--grace-period=0", "--force")
    eventually(
        lambda: cache.kubectl("get", "pods", f"-n={SPACE}", "-l=app=cache,role=master", "-o=name").strip(),
        lambda found: found == "pod/cache-1",
    )
    wait(cache, "cache")
    assert ask(cache, "GET", "shared") == "yes"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"args": ["--cluster_mode=emulated"]}, "spec.args: flag not known here: --cluster_mode"),
        (
            {"tlsSecretRef": {"name": "x"}},
            "spec.tlsSecretRef: this stand-in for the Dragonfly operator doesn't have it",
        ),
        ({"snapshot": {"cron": "* * * * *"}}, "cron specified without a persistent volume claim"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_it_does_not_have_is_refused_in_its_status(cache: Lab, more: dict[str, Any], message: str) -> None:
    apply(cache, dragonfly("refused", **more))
    said = eventually(
        lambda: cache.kubectl("get", "dragonfly", f"-n={SPACE}", "refused", f"-o=jsonpath={{{CONDITION}}}"), bool, 30
    )
    assert said == message
    assert not cache.get("statefulset", f"-n={SPACE}", "refused", "--ignore-not-found")
    cache.kubectl("delete", "dragonfly", f"-n={SPACE}", "refused")
