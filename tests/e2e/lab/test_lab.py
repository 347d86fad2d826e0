# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab runs people's applications, and survives what is done to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from ...conftest import LAB_INDEX, LAB_NAME, ROOT, Lab
from ..support import eventually
from .traces import traces

WEB_APP = """
apiVersion: v1
kind: Namespace
metadata: {name: web-app}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: pages, namespace: web-app}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: web-app}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: web-app}
spec:
  selector: {matchLabels: {app: web}}
  strategy: {type: Recreate}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: docker.io/library/busybox:latest
          imagePullPolicy: Always
          command: [sh, -c, "date +%s%N >> /pages/index.html; exec httpd -f -p 8080 -h /pages"]
          readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
          volumeMounts: [{name: pages, mountPath: /pages}]
      volumes: [{name: pages, persistentVolumeClaim: {claimName: pages}}]
"""
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "containerd",
    "kubelet",
    "kube-proxy",
    "mirror",
)


@pytest.fixture(scope="module")
def web(lab: Lab) -> Iterator[str]:
    """A web application on the lab; the address of its Service."""
    kubectl = [lab.facts["kubectl"], f"--kubeconfig={lab.facts['kubeconfig']}"]
    subprocess.run([*kubectl, "apply", "-f-"], input=WEB_APP, text=True, check=True, timeout=300)
    lab.kubectl("rollout", "status", "deployment/web", "-n=web-app", "--timeout=240s")
    address = str(lab.get("service", "-n=web-app", "web")["spec"]["clusterIP"])
    # A Service leads to a pod a moment after the pod is ready.
    eventually(lambda: answers(address), bool, 30)
    yield address
    lab.kubectl("delete", "namespace", "web-app")


def page(address: str) -> list[str]:
    """Return one line for each start of the application."""
    with urllib.request.urlopen(f"http://{address}/", timeout=5) as response:
        return str(response.read().decode()).splitlines()


def up() -> None:
    done = subprocess.run([str(ROOT / "lab/up"), "--name", LAB_NAME], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_an_application_is_reached_from_pods_by_name_and_from_the_host(lab: Lab, web: str) -> None:
    said = lab.kubectl(
        "exec", "-n=web-app", "deploy/web", "--", "wget", "-qO-", "http://web.web-app.svc.cluster.local/"
    )
    assert said.splitlines() == page(web)


def test_a_killed_pod_comes_back_with_its_data(lab: Lab, web: str) -> None:
    before = page(web)
    lab.kubectl("delete", "pod", "-n=web-app", "-l=app=web", "--grace-period=0", "--force")
    lab.kubectl("rollout", "status", "deployment/web", "-n=web-app", "--timeout=240s")
    eventually(lambda: answers(web) and len(page(web)) == len(before) + 1, bool, 30)
    assert page(web)[: len(before)] == before


def answers(address: str) -> bool:
    try:
        page(address)
    except OSError:
        return False
    return True


def test_every_component_that_is_killed_is_repaired_and_nothing_lost(lab: Lab, web: str) -> None:
    before = page(web)
    for name in COMPONENTS:
        (killed,) = processes_of(lab, name)
        os.kill(killed, signal.SIGKILL)
        eventually(partial(runs_anew, lab, name, killed), bool, 60)
    up()
    eventually(lambda: answers(web), bool, 30)
    assert page(web) == before


def runs_anew(lab: Lab, component: str, before: int) -> bool:
    now = processes_of(lab, component)
    return len(now) == 1 and now != [before]


def processes_of(lab: Lab, component: str) -> list[int]:
    """Return the numbers that the host knows a component's processes by: one, or none while it is started anew."""
    planned = {item["name"]: item["argv"] for item in json.loads((lab.state / "etc/components.json").read_text())}
    wanted = "\0".join(planned[component]).encode() + b"\0"
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if file.read_bytes() == wanted:
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found


def test_a_lab_that_is_killed_whole_leaves_its_host_clean_and_comes_back(lab: Lab, web: str) -> None:
    before = page(web)
    kept = lab.get("configmap", "-n=web-app", "kube-root-ca.crt")["metadata"]["uid"]
    # What neither begins nor ends with a process.
    stays = {"cgroups", "loop devices"}
    disk = Path(f"/sys/block/{Path(lab.facts['ceph_disk']).name}/loop/backing_file")
    assert {"processes", "interfaces", "addresses", "routes"} | stays <= traces(LAB_NAME, int(LAB_INDEX)).keys()
    os.kill(json.loads((lab.state / "run/init.json").read_text())["pid"], signal.SIGKILL)
    eventually(lambda: not set(traces(LAB_NAME, int(LAB_INDEX))) - stays, bool, 30)
    # As if the machine had started anew, too.
    subprocess.run(("losetup", "--detach", lab.facts["ceph_disk"]), check=True)
    up()
    lab.kubectl("rollout", "status", "deployment/web", "-n=web-app", "--timeout=240s")
    eventually(lambda: answers(web), bool, 60)
    assert page(web)[: len(before)] == before
    assert disk.read_text().strip() == str(lab.state / "ceph-disk")
    assert lab.get("configmap", "-n=web-app", "kube-root-ca.crt")["metadata"]["uid"] == kept


def test_nothing_listens_beyond_loopback_and_the_lab_s_own_range(lab: Lab) -> None:
    init = json.loads((lab.state / "run/init.json").read_text())["pid"]
    inside = ("nsenter", f"--target={init}", "--net")
    own = ip_network(f"10.{200 + int(LAB_INDEX)}.0.0/16")
    addresses = json.loads(reported(*inside, "ip", "-json", "-4", "address"))
    reached = [ip_address(address["local"]) for link in addresses for address in link["addr_info"]]
    assert any(address in own for address in reached)
    assert [address for address in reached if not address.is_loopback and address not in own] == []
    assert "kube-apiserver" in reported(*inside, "ss", "-Htlnp")
    # On the host itself no process of the lab has a socket.
    listening = re.findall(r"pid=(\d+)", reported("ss", "-Htulnp"))
    assert [pid for pid in listening if f"lab-{LAB_NAME}" in Path(f"/proc/{pid}/cgroup").read_text()] == []


def reported(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("kubectl version", "Server Version: v1."),
        ("helm version", "GitCommit"),
        ("helm list --all-namespaces", "NAMESPACE"),
        ("bao secrets list", "secret/"),
        ("dig +short kubernetes.default.svc.cluster.local", "10."),
    ],
)
def test_a_shell_has_what_people_look_into_a_lab_with(lab: Lab, command: str, answer: str) -> None:
    words = [str(ROOT / "lab/shell"), "--name", LAB_NAME, "--", *command.split()]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert answer in done.stdout


def test_another_lab_of_that_name_or_range_is_refused(lab: Lab, tmp_path: Path) -> None:
    other = {**os.environ, "LAB_STATE": str(tmp_path)}
    command = [str(ROOT / "lab/up"), "--name", "other", "--index", LAB_INDEX]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=other)
    assert done.returncode == 1
    assert f"The lab's range 10.{200 + int(LAB_INDEX)}.0.0/16 is taken: mastodon-lab{LAB_INDEX} leads to" in done.stderr
    assert list(tmp_path.iterdir()) == []
