# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is built from Go modules: data only. golang.py builds it, go/go.mod pins what it is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mastodon_lab import versions
from mastodon_lab.lab import CEPH, KIND, SITE


@dataclass(frozen=True)
class Patch:
    """A module that doesn't build here as published: it is built from a copy, with go/overlay/<folder> laid over it.

    `drops` are folders left out of the copy; `swaps` are replacements of text in all its Go files and go.mod, for what
    is too spread out for whole files. go/*/go.mod replaces the module by src/<folder>.
    """

    module: str
    version: str
    folder: str
    drops: tuple[str, ...] = ()
    swaps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Component:
    """Programs built by one command, name → package, with the versions of a `module` below go/.

    `stamps` are variables set at link time, `seconds` is how long a cold build may take. `part` is the part of the lab
    that it is for, `tags` are Go's, which leave out parts of what is built.
    """

    name: str
    version: str
    module: str
    binaries: Mapping[str, str]
    seconds: float
    stamps: Mapping[str, str] = field(default_factory=dict)
    part: str = SITE
    # Not among what the others are recognised by, which were built before there were any.
    tags: tuple[str, ...] = field(default=(), repr=False)


CLUSTER = "cluster"
CONTROLLERS = "controllers"
# Below go_rook/.
ROOK_MODULE = "rook"
# Not below go/ but in lab/stand_ins, kind_tools, prometheus_tools and rclone_tools.
STAND_INS = "stand-ins"
KIND_TOOLS = "kind"
PROMETHEUS_TOOLS = "prometheus"
RCLONE_TOOLS = "rclone"

_VERSITY_DECIDES = "decisions[i] = decisionForResource{Decision: decision, Action: action}"
_VERSITY_OWNER_MAY = """\
if decision == policyDecisionNoMatch && verifyACL(opts.Acl, opts.Acc.Access, opts.AclPermission, opts.DisableACL) == nil {
			decision = policyDecisionAllow
		}
		"""

# nftables' own statement for it is not in every kernel; iptables' is in those that have iptables with nftables.
_QUEUE = """\
queue := &expr.Queue{Num: uint16(c.config.QueueID)}
	if c.config.FailOpen {
		queue.Flag = expr.QueueFlagBypass
	}
"""
_QUEUE_OF_IPTABLES = """\
number := xt.Unknown(binaryutil.NativeEndian.PutUint16(uint16(c.config.QueueID)))
	queue := &expr.Target{Name: "NFQUEUE", Info: &number}
"""

PATCHES = (
    # https://github.com/sirupsen/logrus/issues/553: one module under two spellings is refused.
    Patch(
        "github.com/rancher/local-path-provisioner",
        versions.LOCAL_PATH,
        "local-path",
        swaps=(("github.com/Sirupsen/logrus v0.11.0", "github.com/sirupsen/logrus v1.9.3"), ("Sirupsen", "sirupsen")),
    ),
    # These import every provider there is. The first is also older than a change of controller-runtime's interface:
    # https://github.com/kubernetes-sigs/controller-runtime/pull/3360
    Patch(
        "github.com/external-secrets/external-secrets",
        versions.EXTERNAL_SECRETS,
        "external-secrets",
        swaps=tuple(
            (
                f"NewWebhookManagedBy(mgr).\n\t\tFor({kind}).\n\t\tWithValidator(",
                f"NewWebhookManagedBy(mgr, {kind}).\n\t\tWithCustomValidator(",
            )
            for kind in ("c", "es")
        ),
    ),
    Patch("github.com/go-acme/lego/v5", versions.LEGO, "lego"),
    # Its Syncthing wants another version of a library than Traefik.
    Patch("github.com/backube/volsync", versions.VOLSYNC, "volsync"),
    Patch("sigs.k8s.io/external-dns", versions.EXTERNAL_DNS, "external-dns"),
    Patch(
        "sigs.k8s.io/kube-network-policies",
        versions.NETWORK_POLICIES,
        "network-policies",
        swaps=((_QUEUE, _QUEUE_OF_IPTABLES), ('"net/netip"', '"net/netip"\n\n\t"github.com/google/nftables/xt"')),
    ),
    # One of its issuers needs an SDK that the proxy refuses; its two controllers' names are left in place.
    Patch(
        "github.com/cert-manager/cert-manager",
        versions.CERT_MANAGER,
        "cert-manager",
        drops=(
            "pkg/controller/certificaterequests/venafi",
            "pkg/controller/certificatesigningrequests/venafi",
            "pkg/issuer/venafi",
        ),
    ),
    # Embeds a web page that is not in the module, and runs only in images of the distributions that its authors support:
    # the lab's is added to them.
    Patch(
        "github.com/controlplaneio-fluxcd/flux-operator",
        versions.FLUX_OPERATOR,
        "flux-operator",
        swaps=(('WithContainerOS("distroless", 12)', 'WithContainerOS("busybox", 1)'),),
    ),
    # With a policy on a bucket its owner could do no more than that says. On Ceph and AWS a policy adds to what he may do,
    # and Mastodon's role puts one that lets anyone read.
    Patch(
        "github.com/versity/versitygw",
        versions.VERSITY,
        "versitygw",
        swaps=((_VERSITY_DECIDES, _VERSITY_OWNER_MAY + _VERSITY_DECIDES),),
    ),
)

# Three fields of a gateway that the operator reads came in the day between its two modules.
_RGW_INSTANCES = "\t// The number of pods in the rgw replicaset.\n"
_RGW_FIELDS = """\
	OpsLogSidecar *OpsLogSidecar `json:"opsLogSidecar,omitempty"`
	RgwConfig map[string]string `json:"rgwConfig,omitempty"`
	RgwCommandFlags map[string]string `json:"rgwCommandFlags,omitempty"`
"""
_GATEWAY = "type GatewaySpec struct {\n"
_OPS_LOG = """\
type OpsLogSidecar struct {
	Resources v1.ResourceRequirements `json:"resources,omitempty"`
}

"""
ROOK_PATCHES = (
    Patch(
        "github.com/rook/rook/pkg/apis",
        versions.ROOK_APIS,
        "rook-apis",
        swaps=((_RGW_INSTANCES, _RGW_FIELDS + _RGW_INSTANCES), (_GATEWAY, _OPS_LOG + _GATEWAY)),
    ),
)

_KUBERNETES = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = versions.KUBERNETES.removeprefix("v").split(".")

# Without the stamps Kubernetes reports v0.0.0 and its version gates misbehave.
_KUBERNETES_STAMPS = {
    f"{_KUBERNETES}.gitVersion": versions.KUBERNETES,
    f"{_KUBERNETES}.gitMajor": _MAJOR,
    f"{_KUBERNETES}.gitMinor": _MINOR,
}
KUBERNETES = Component(
    "Kubernetes",
    versions.KUBERNETES,
    CLUSTER,
    {
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
    },
    seconds=340,
    stamps=_KUBERNETES_STAMPS,
    part="cluster",
)
KUBEADM = Component(
    "kubeadm",
    versions.KUBERNETES,
    KIND_TOOLS,
    {"kubeadm": "k8s.io/kubernetes/cmd/kubeadm"},
    seconds=100,
    stamps=_KUBERNETES_STAMPS,
    part=KIND,
)
KIND_ITSELF = Component("kind", versions.KIND, KIND_TOOLS, {"kind": "sigs.k8s.io/kind"}, seconds=10, part=KIND)
ETCD = Component("etcd", versions.ETCD, CLUSTER, {"etcd": "go.etcd.io/etcd/server/v3"}, seconds=20, part="cluster")
COREDNS = Component(
    "CoreDNS", versions.COREDNS, CONTROLLERS, {"coredns": "github.com/coredns/coredns"}, seconds=60, part="coredns"
)
LOCAL_PATH = Component(
    "local-path-provisioner",
    versions.LOCAL_PATH,
    CONTROLLERS,
    {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
    seconds=30,
    stamps={"main.VERSION": versions.LOCAL_PATH},
    part="local-path-provisioner",
)
NETWORK_POLICIES = Component(
    "kube-network-policies",
    versions.NETWORK_POLICIES,
    CONTROLLERS,
    {"netpol": "sigs.k8s.io/kube-network-policies/cmd"},
    seconds=30,
    part="kube-network-policies",
)
TRAEFIK = Component(
    "Traefik",
    versions.TRAEFIK,
    CONTROLLERS,
    {"traefik": "github.com/traefik/traefik/v3/cmd/traefik"},
    seconds=120,
    stamps={"github.com/traefik/traefik/v3/pkg/version.Version": versions.TRAEFIK},
    part="traefik",
)
VERSITY = Component(
    "S3 server",
    versions.VERSITY,
    CONTROLLERS,
    {"versitygw": "github.com/versity/versitygw/cmd/versitygw"},
    seconds=40,
    stamps={"main.Version": versions.VERSITY},
    part="s3",
)
FLUX_OPERATOR = Component(
    "Flux Operator",
    versions.FLUX_OPERATOR,
    CONTROLLERS,
    {"flux-operator": "github.com/controlplaneio-fluxcd/flux-operator/cmd/operator"},
    seconds=60,
    stamps={"main.VERSION": versions.FLUX_OPERATOR},
)
SOURCE_CONTROLLER = Component(
    "Flux source-controller",
    versions.SOURCE_CONTROLLER,
    CONTROLLERS,
    {"source-controller": "github.com/fluxcd/source-controller"},
    seconds=120,
)
KUSTOMIZE_CONTROLLER = Component(
    "Flux kustomize-controller",
    versions.KUSTOMIZE_CONTROLLER,
    CONTROLLERS,
    {"kustomize-controller": "github.com/fluxcd/kustomize-controller"},
    seconds=60,
)
NOTIFICATION_CONTROLLER = Component(
    "Flux notification-controller",
    versions.NOTIFICATION_CONTROLLER,
    CONTROLLERS,
    {"notification-controller": "github.com/fluxcd/notification-controller"},
    seconds=60,
)
HELM_CONTROLLER = Component(
    "Flux helm-controller",
    versions.HELM_CONTROLLER,
    CONTROLLERS,
    {"helm-controller": "github.com/fluxcd/helm-controller"},
    seconds=60,
)
CERT_MANAGER = Component(
    "cert-manager",
    versions.CERT_MANAGER,
    CONTROLLERS,
    {"cert-manager": "github.com/cert-manager/cert-manager/cmd/lab"},
    seconds=60,
    stamps={"github.com/cert-manager/cert-manager/pkg/util.AppVersion": versions.CERT_MANAGER},
)
EXTERNAL_SECRETS = Component(
    "External Secrets",
    versions.EXTERNAL_SECRETS,
    CONTROLLERS,
    {"external-secrets": "github.com/external-secrets/external-secrets"},
    seconds=60,
)
CLOUDNATIVE_PG = Component(
    "CloudNativePG",
    versions.CLOUDNATIVE_PG,
    CONTROLLERS,
    {"manager": "github.com/cloudnative-pg/cloudnative-pg/cmd/manager"},
    seconds=60,
    stamps={
        "github.com/cloudnative-pg/cloudnative-pg/pkg/versions.buildVersion": versions.CLOUDNATIVE_PG.removeprefix("v")
    },
)
EXTERNAL_DNS = Component(
    "external-dns",
    versions.EXTERNAL_DNS,
    CONTROLLERS,
    {"external-dns": "sigs.k8s.io/external-dns"},
    seconds=60,
    stamps={"sigs.k8s.io/external-dns/pkg/apis/externaldns.Version": versions.EXTERNAL_DNS},
)
BARMAN_CLOUD = Component(
    "Barman Cloud plugin",
    versions.BARMAN_CLOUD,
    CONTROLLERS,
    {"barman-cloud": "github.com/cloudnative-pg/plugin-barman-cloud/cmd/manager"},
    seconds=20,
)
VOLSYNC = Component(
    "VolSync",
    versions.VOLSYNC,
    CONTROLLERS,
    {"volsync": "github.com/backube/volsync/cmd"},
    seconds=20,
    stamps={"main.volsyncVersion": versions.VOLSYNC},
)
PEBBLE = Component(
    "Pebble",
    versions.PEBBLE,
    CONTROLLERS,
    {"pebble": "github.com/letsencrypt/pebble/v2/cmd/pebble"},
    seconds=5,
    part="pebble",
)
MAILPIT = Component(
    "Mailpit",
    versions.MAILPIT,
    CONTROLLERS,
    {"mailpit": "github.com/axllent/mailpit"},
    seconds=40,
    stamps={"github.com/axllent/mailpit/config.Version": versions.MAILPIT},
    part="mailpit",
)
# For people, in lab/shell.
HELM = Component(
    "Helm",
    versions.HELM,
    CONTROLLERS,
    {"helm": "helm.sh/helm/v4/cmd/helm"},
    seconds=20,
    stamps={"helm.sh/helm/v4/internal/version.version": versions.HELM},
)
# For tests of alerts, which find no targets: that takes the clients of twenty clouds.
PROMTOOL = Component(
    "promtool",
    versions.PROMETHEUS,
    PROMETHEUS_TOOLS,
    {"promtool": "github.com/prometheus/prometheus/cmd/promtool"},
    seconds=60,
    tags=("remove_all_sd",),
)
RCLONE = Component(
    "rclone",
    versions.RCLONE,
    RCLONE_TOOLS,
    {"rclone": "lab/rclone/cmd/rclone"},
    seconds=60,
    stamps={"github.com/rclone/rclone/fs.Version": versions.RCLONE},
    part="s3",
)
ROOK = Component(
    "Rook",
    versions.ROOK,
    ROOK_MODULE,
    {"rook": "github.com/rook/rook/cmd/rook"},
    seconds=150,
    stamps={"github.com/rook/rook/pkg/version.Version": versions.ROOK},
    part=CEPH,
)
# Operators and servers of ours, in place of those that can't be had.
DRAGONFLY = Component(
    "Dragonfly's stand-ins",
    versions.DRAGONFLY_OPERATOR,
    STAND_INS,
    {
        "dragonfly": "lab/stand-ins/dragonfly/cmd/dragonfly",
        "dragonfly-operator": "lab/stand-ins/dragonfly/cmd/dragonfly-operator",
    },
    seconds=15,
)

# What the others share is compiled first, so the largest come first.
COMPONENTS = (
    KUBERNETES,
    ETCD,
    KUBEADM,
    KIND_ITSELF,
    COREDNS,
    LOCAL_PATH,
    NETWORK_POLICIES,
    TRAEFIK,
    CLOUDNATIVE_PG,
    SOURCE_CONTROLLER,
    KUSTOMIZE_CONTROLLER,
    HELM_CONTROLLER,
    HELM,
    NOTIFICATION_CONTROLLER,
    FLUX_OPERATOR,
    CERT_MANAGER,
    EXTERNAL_SECRETS,
    EXTERNAL_DNS,
    BARMAN_CLOUD,
    VOLSYNC,
    VERSITY,
    MAILPIT,
    PEBBLE,
    RCLONE,
    ROOK,
    DRAGONFLY,
    PROMTOOL,
)
