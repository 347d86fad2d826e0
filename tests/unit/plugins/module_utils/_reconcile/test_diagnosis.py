# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods behind objects: whose they are, when their trouble ends a wait, and when it must not."""

from __future__ import annotations

from datetime import timedelta
from time import sleep
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Object
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.diagnosis import Diagnosis
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.live import Live
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.model import ObjectRef
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.status_tracker import StatusTracker
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.builders import subject, thing
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import BEGAN, FakeApi

WEB = subject("Deployment", "web")
NOT_FOUND = "ImagePullBackOff: Back-off pulling image: ErrImagePull: r.test/a:1: not found"
OLD = (BEGAN - timedelta(hours=1)).isoformat()


class Looking:
    """A diagnosis over a fake cluster, with a clock that tests turn."""

    def __init__(self, *objects: Object) -> None:
        self.api = FakeApi(*objects)
        self.time = 0.0
        self.live = Live(self.api, self.api.discover())
        self.live.began = 1000
        self.tracker = StatusTracker(lambda: self.time)

    def at(self, *times: float, about: ObjectRef = WEB) -> list[str]:
        """Return, for each time, why waiting is of no use then."""
        reported = []
        with Diagnosis(self.api, self.live, self.tracker) as diagnosis:
            for time in times:
                self.time = time
                diagnosis.examine([about])
                reported.append(str(diagnosis.final(about) or ""))
            self.why = diagnosis.why(about)
        return reported


def made(kind: str, name: str, owner: Object | None = None, **fields: Any) -> Object:
    """Return an object with a UID, and its owner."""
    item = thing(kind, name, **fields)
    item["metadata"]["uid"] = f"uid-{kind}-{name}"
    if owner:
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
        item["metadata"]["ownerReferences"] = [{**reference, "uid": owner["metadata"]["uid"]}]
    return item


def pod(name: str, owner: Object | None, text: str = NOT_FOUND) -> Object:
    """Return a pod whose container waits because of `Reason: message`."""
    reason, _unused, message = text.partition(": ")
    waiting = {"reason": reason, "message": message}
    return made("Pod", name, owner, status={"containerStatuses": [{"name": "main", "state": {"waiting": waiting}}]})


def of_before(item: Object) -> Object:
    """Return an object as made before the run."""
    item["metadata"]["creationTimestamp"] = OLD
    return item


DEPLOYMENT = made("Deployment", "web")
REPLICAS = made("ReplicaSet", "web-1", DEPLOYMENT)
STATEFUL = made("StatefulSet", "web", spec={}, status={"updateRevision": "new"})
REPORTED = f"Pod ns/web-1-a: container main: {NOT_FOUND}"


def test_the_log_to_read_is_that_of_the_container_that_crashed() -> None:
    crashed = {"name": "side", "restartCount": 5, "lastState": {"terminated": {"exitCode": 1}}}
    crashed["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"containerStatuses": [{"name": "main", "state": {"running": {}}}, crashed]}
    looking = Looking(DEPLOYMENT, REPLICAS, made("Pod", "web-1-a", REPLICAS, status=status))
    with Diagnosis(looking.api, looking.live, looking.tracker) as diagnosis:
        diagnosis.examine([WEB])
        found = diagnosis.final(WEB)
    assert found
    assert found.remedy == "Read why: kubectl logs -n ns web-1-a -c side --previous."


def test_it_costs_nothing_before_it_looks() -> None:
    looking = Looking(DEPLOYMENT)
    looking.api.calls.clear()
    with Diagnosis(looking.api, looking.live, looking.tracker):
        pass
    assert looking.api.calls == []


def test_a_cause_is_final_when_its_time_is_over_and_not_before() -> None:
    looking = Looking(DEPLOYMENT, REPLICAS, pod("web-1-a", REPLICAS))
    assert looking.at(1, 5.9, 6) == ["", "", REPORTED]
    assert looking.why == REPORTED


def test_the_remedy_names_the_object() -> None:
    job = made("Job", "web", status={"failed": 3})
    looking = Looking(job)
    with Diagnosis(looking.api, looking.live, looking.tracker) as diagnosis:
        diagnosis.examine([subject("Job", "web")])
        status = diagnosis.final(subject("Job", "web"))
    assert status is not None
    assert status.verdict == "Failed"
    assert status.remedy == "Read why: kubectl logs -n ns job/web --all-containers."


def acme(kind: str, name: str, owner: Object, **status: str) -> Object:
    return made(kind, name, owner, status=status) | {"apiVersion": "acme.cert-manager.io/v1"}


def test_a_certificate_waits_for_what_its_challenge_waits_for() -> None:
    certificate = made("Certificate", "web") | {"apiVersion": "cert-manager.io/v1"}
    request = made("CertificateRequest", "web-1", certificate) | {"apiVersion": "cert-manager.io/v1"}
    order = acme("Order", "web-1-1", request, state="pending")
    challenge = acme("Challenge", "web-1-1-1", order, state="pending", reason="DNS record not yet propagated")
    looking = Looking(certificate, request, order, challenge)
    about = ObjectRef("cert-manager.io", "Certificate", "ns", "web")
    assert looking.at(1, 999, about=about) == ["", ""]
    assert looking.why == "Challenge ns/web-1-1-1: pending: DNS record not yet propagated"
    assert any("Challenge" in call for call in looking.api.calls)


def test_challenges_are_asked_for_only_when_a_certificate_is_waited_for() -> None:
    looking = Looking(DEPLOYMENT)
    looking.at(1)
    assert [call for call in looking.api.calls if "Challenge" in call] == []


def test_another_s_pods_do_not_matter() -> None:
    other = made("Deployment", "other")
    replicas = made("ReplicaSet", "other-1", other)
    assert Looking(DEPLOYMENT, REPLICAS, other, replicas, pod("other-1-a", replicas)).at(1, 99) == ["", ""]


def test_a_former_revision_s_pods_do_not_matter() -> None:
    new = made("ReplicaSet", "web-2", DEPLOYMENT)
    new["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}
    assert Looking(DEPLOYMENT, REPLICAS, new, pod("web-1-a", REPLICAS)).at(1, 99) == ["", ""]


def test_a_pod_that_is_about_to_end_does_not_matter() -> None:
    dying = pod("web-1-a", REPLICAS)
    dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert Looking(DEPLOYMENT, REPLICAS, dying).at(1, 99) == ["", ""]


def test_a_pod_of_before_is_tried_again_before_it_is_given_up() -> None:
    looking = Looking(DEPLOYMENT, REPLICAS, of_before(pod("web-1-a", REPLICAS)))
    assert looking.at(1, 330, 331) == ["", "", REPORTED]


def test_a_pod_of_before_that_failed_again_since_is_as_any_other() -> None:
    looking = Looking(DEPLOYMENT, REPLICAS, of_before(pod("web-1-a", REPLICAS)))
    looking.live.began = 1
    assert looking.at(1, 6) == ["", REPORTED]


def test_what_this_run_changed_elsewhere_may_heal_a_pod_of_before() -> None:
    looking = Looking(DEPLOYMENT, REPLICAS, of_before(pod("web-1-a", REPLICAS)))
    looking.live.began = 1
    looking.tracker.changed(subject("Secret", "db"))
    assert looking.at(1, 6, 331) == ["", "", REPORTED]


def test_a_pod_of_before_never_ends_the_run_that_changed_what_it_belongs_to() -> None:
    release = thing("HelmRelease", "web")
    deployment = made("Deployment", "x")
    deployment["metadata"]["labels"] = {
        "helm.toolkit.fluxcd.io/name": "web",
        "helm.toolkit.fluxcd.io/namespace": "ns",
    }
    replicas = made("ReplicaSet", "x-1", deployment)
    objects = (release, deployment, replicas, of_before(pod("x-1-a", replicas)))
    about = subject("HelmRelease", "web")
    assert Looking(*objects).at(1, 400, about=about)[1].startswith("Pod ns/x-1-a: container main")
    looking = Looking(*objects)
    looking.tracker.changed(about)
    assert looking.at(1, 400, about=about) == ["", ""]


def test_a_hook_belongs_to_its_release() -> None:
    release = thing("HelmRelease", "web", spec={"targetNamespace": "ns"})
    job = made("Job", "migrate", status={"failed": 3})
    job["metadata"]["labels"] = {"app.kubernetes.io/instance": "ns-web"}
    looking = Looking(release, job)
    about = subject("HelmRelease", "web")
    looking.live.note(about, release)
    assert looking.at(1, about=about) == ["Job ns/migrate: PodsFailed: 3 of its pods failed"]


MIGRATE = subject("HelmRelease", "mastodon")
FAILED = "Job ns/mastodon-db-migrate: PodsFailed: 3 of its pods failed"
BEHIND = {"app.kubernetes.io/instance": "mastodon", "app.kubernetes.io/managed-by": "Helm"}


def hook(seconds: int, **status: Any) -> Object:
    """Return a Job of the chart's as Helm created it so many seconds after the run began."""
    job = made("Job", "mastodon-db-migrate", status=status)
    job["metadata"] |= {
        "labels": BEHIND,
        "annotations": {
            "helm.sh/hook": "post-install,post-upgrade",
            "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
        },
        "creationTimestamp": (BEGAN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return job


def attempted(seconds: int, generation: int = 2) -> Object:
    """Return a release whose generation 2 Flux began to upgrade so many seconds after the run began."""
    time = (BEGAN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    running = {"reason": "Progressing", "message": "Running 'upgrade' action with timeout of 24h0m0s"}
    conditions = [
        {**running, "type": "Reconciling", "status": "True", "observedGeneration": 2, "lastTransitionTime": time},
        {**running, "type": "Ready", "status": "Unknown", "observedGeneration": 2, "lastTransitionTime": time},
    ]
    status = {"conditions": conditions, "lastAttemptedGeneration": 2, "observedGeneration": 1}
    release = made("HelmRelease", "mastodon", status=status)
    release["metadata"]["generation"] = generation
    return release


def looked_at(release: Object, *items: Object) -> Looking:
    looking = Looking(release, *items)
    looking.live.note(MIGRATE, release)
    return looking


def test_a_hook_of_an_attempt_before_says_nothing() -> None:
    looking = looked_at(attempted(seconds=60), hook(seconds=58, failed=3))
    assert looking.at(1, 999, about=MIGRATE) == ["", ""]
    assert looking.why == ""
    assert looked_at(attempted(seconds=60), hook(seconds=60, failed=3)).at(1, about=MIGRATE) == [FAILED]
    # Nor does one of what is declared no longer.
    assert looked_at(attempted(60, generation=3), hook(seconds=60, failed=3)).at(1, about=MIGRATE) == [""]


def test_a_pod_of_a_hook_of_an_attempt_before_says_nothing() -> None:
    job = hook(seconds=58, active=1)
    stuck = pod("mastodon-db-migrate-abcde", job)
    assert looked_at(attempted(seconds=60), job, stuck).at(1, 999, about=MIGRATE) == ["", ""]
    assert looked_at(attempted(seconds=10), job, stuck).at(1, 999, about=MIGRATE)[1] != ""


def test_what_a_schedule_began_is_no_part_of_a_release() -> None:
    job = made("Job", "mastodon-media-remove-1", made("CronJob", "mastodon-media-remove"))
    job |= {"status": {"failed": 3}}
    job["metadata"]["labels"] = BEHIND
    assert looked_at(attempted(seconds=1), job).at(1, 999, about=MIGRATE) == ["", ""]


def test_a_hook_that_failed_before_the_run_has_its_next_try() -> None:
    looking = looked_at(attempted(seconds=-90), hook(seconds=-60, failed=3, active=1))
    looking.live.began = 1
    assert looking.at(1, 331, 9999, about=MIGRATE) == ["", "", ""]
    # Between two tries it is as any other that is from before.
    looking = looked_at(attempted(seconds=-90), hook(seconds=-60, failed=3))
    looking.live.began = 1
    assert looking.at(1, 330, 331, about=MIGRATE) == ["", "", FAILED]


def test_a_hook_of_before_that_fails_once_more_is_as_any_other() -> None:
    looking = looked_at(attempted(seconds=-90), hook(seconds=-60, failed=2, active=1))
    looking.live.began = 1
    with Diagnosis(looking.api, looking.live, looking.tracker) as diagnosis:
        looking.time = 1
        diagnosis.examine([MIGRATE])
        assert diagnosis.final(MIGRATE) is None
        looking.api.put(hook(seconds=-60, failed=3, active=1))
        # A watch brings it.
        for _try in range(500):
            diagnosis.examine([MIGRATE])
            if diagnosis.final(MIGRATE) or sleep(0.01):
                break
        assert str(diagnosis.final(MIGRATE)) == FAILED


def test_an_old_pod_that_holds_up_a_stateful_set_is_named() -> None:
    old = of_before(pod("web-0", STATEFUL, "CreateContainerConfigError: no secret"))
    old["metadata"]["labels"] = {"controller-revision-hash": "old"}
    looking = Looking(STATEFUL, old)
    about = subject("StatefulSet", "web")
    looking.tracker.changed(about)
    reported = "Pod ns/web-0: OldRevision: it is of an older revision, and the StatefulSet waits for it"
    assert looking.at(1, 60, 61, about=about) == ["", "", reported]


def refusal(about: Object, seconds: int) -> Object:
    involved = {"kind": about["kind"], "name": about["metadata"]["name"], "uid": about["metadata"]["uid"]}
    time = (BEGAN + timedelta(seconds=seconds)).isoformat()
    message = "Create Pod web-0 in StatefulSet web failed error: pods is forbidden: exceeded quota: q"
    return made("Event", "e", involvedObject=involved, reason="FailedCreate", message=message, lastTimestamp=time)


def test_a_pod_that_cannot_be_made_is_named() -> None:
    looking = Looking(STATEFUL, refusal(STATEFUL, 100))
    reported = "StatefulSet ns/web: FailedCreate: pods is forbidden: exceeded quota: q"
    assert looking.at(1, 10.9, 11, about=subject("StatefulSet", "web")) == ["", "", reported]


def test_a_pod_that_was_made_since_ends_the_trouble() -> None:
    looking = Looking(STATEFUL, refusal(STATEFUL, 1), made("Pod", "web-0", STATEFUL))
    assert looking.at(1, 99, about=subject("StatefulSet", "web")) == ["", ""]


def test_a_node_that_is_being_added_is_waited_for() -> None:
    lonely = made("Pod", "web-0", STATEFUL)
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}
    lonely["status"] = {"conditions": [unschedulable]}
    about = subject("StatefulSet", "web")
    assert Looking(STATEFUL, lonely).at(1, 31, about=about) == ["", "Pod ns/web-0: Unschedulable: no room"]
    scaling = thing("Event", "s", involvedObject={"kind": "Pod", "name": "web-0"}, reason="TriggeredScaleUp")
    looking = Looking(STATEFUL, lonely, scaling)
    assert looking.at(1, 31, 800, about=about) == ["", "", ""]
    assert "while a node is being added" in looking.why


def test_what_may_not_be_read_only_makes_it_say_less(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(DEPLOYMENT, REPLICAS, pod("web-1-a", REPLICAS))
    read = looking.api.read

    def limited(selection: Any) -> Any:
        if selection.resource.kind == "Pod":
            raise looking.api.forbidden(selection)
        return read(selection)

    monkeypatch.setattr(looking.api, "read", limited)
    assert looking.at(1, 99) == ["", ""]


RELEASE = ObjectRef("helm.toolkit.fluxcd.io", "HelmRelease", "ns", "mastodon")
OF_RELEASE = {"helm.toolkit.fluxcd.io/name": "mastodon", "helm.toolkit.fluxcd.io/namespace": "ns"}


def of_release(item: Object, **status: Any) -> Object:
    item["metadata"]["labels"] = OF_RELEASE
    return item | {"status": status}


def container(name: str, ready: bool = False, **state: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "state": state}


@pytest.mark.parametrize(
    ("items", "reported"),
    [
        ([], "it has no pods"),
        ([of_release(made("Job", "migrate"), active=1)], "Job ns/migrate: runs"),
        (
            [of_release(made("Job", "migrate"), conditions=[{"type": "Complete", "status": "True"}], active=0)],
            "it has no pods",
        ),
        (
            [
                of_release(made("Pod", "web"), containerStatuses=[container("web", running={})]),
                of_release(
                    made("Pod", "queue"), containerStatuses=[container("q", waiting={"reason": "ContainerCreating"})]
                ),
                of_release(made("Pod", "streaming"), phase="Pending"),
            ],
            "Pod ns/queue: container q: ContainerCreating; Pod ns/streaming: is not started; 1 more",
        ),
        (
            [
                of_release(
                    made("Pod", "web"),
                    initContainerStatuses=[
                        container("first", terminated={"exitCode": 0}),
                        container("second", running={}),
                    ],
                    containerStatuses=[container("web", waiting={"reason": "PodInitializing"})],
                )
            ],
            "Pod ns/web: container second: runs",
        ),
        (
            [of_release(made("Pod", "web"), conditions=[{"type": "Ready", "status": "True"}])],
            "its pods that are there (1) are ready",
        ),
        ([of_release(made("Pod", "done"), phase="Succeeded")], "it has no pods"),
        ([made("Pod", "of-others")], "it has no pods"),
    ],
)
def test_what_takes_the_time_behind_a_release_is_reported(items: list[Object], reported: str) -> None:
    looking = Looking(made("HelmRelease", "mastodon"), *items)
    with Diagnosis(looking.api, looking.live, looking.tracker) as diagnosis:
        diagnosis.examine([RELEASE])
        assert diagnosis.behind(RELEASE) == reported
        assert diagnosis.behind(subject("ConfigMap", "of-nobody")) == ""
        assert diagnosis.why(RELEASE) == ""
