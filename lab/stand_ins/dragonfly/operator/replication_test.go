// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	one = "10.0.0.1"
	two = "10.0.0.2"
)

func master(name, ip string) member {
	return member{name: name, ip: ip, role: masterRole, answers: true, current: true}
}

func replica(name, ip, of string) member {
	return member{name: name, ip: ip, role: replicaRole, answers: true, current: true, follows: of, synced: true}
}

func changed(base member, change func(*member)) member {
	change(&base)
	return base
}

func TestOnlyAPodThatIsReadyAndStaysIsHealthy(t *testing.T) {
	ready := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}
	gate := corev1.PodCondition{Type: readinessGate, Status: corev1.ConditionFalse}
	evicted := corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}
	for name, one := range map[string]struct {
		phase      corev1.PodPhase
		conditions []corev1.PodCondition
		want       bool
	}{
		"ready behind a gate": {corev1.PodRunning, []corev1.PodCondition{ready, gate}, true},
		"not yet":             {corev1.PodRunning, []corev1.PodCondition{gate}, false},
		"ended":               {corev1.PodSucceeded, []corev1.PodCondition{ready}, false},
		"about to be evicted": {corev1.PodRunning, []corev1.PodCondition{ready, evicted}, false},
	} {
		pod := &corev1.Pod{Status: corev1.PodStatus{Phase: one.phase, Conditions: one.conditions}}
		if got := healthy(pod); got != one.want {
			t.Errorf("%s: got %t", name, got)
		}
		now := metav1.Now()
		pod.DeletionTimestamp = &now
		if healthy(pod) {
			t.Errorf("%s: it is being deleted", name)
		}
	}
}

func TestNext(t *testing.T) {
	silent := func(base *member) { base.answers = false }
	old := func(base *member) { base.current = false }
	for name, given := range map[string]struct {
		members  []member
		replicas int
		want     step
	}{
		"nothing there":  {nil, 1, step{phase: ResourcesCreated}},
		"nobody answers": {[]member{{name: "a"}}, 1, step{phase: ResourcesCreated}},
		"the first becomes master": {
			[]member{{name: "a", ip: one, answers: true, current: true}}, 1,
			step{phase: Configuring, label: map[string]string{"a": masterRole}},
		},
		"one is enough":  {[]member{master("a", one)}, 1, step{phase: Ready}},
		"one is too few": {[]member{master("a", one)}, 2, step{phase: Configuring}},
		"the second follows": {
			[]member{master("a", one), {name: "b", ip: two, answers: true, current: true}}, 2,
			step{phase: Configuring, follow: map[string]string{"b": one}, label: map[string]string{"b": replicaRole}},
		},
		"both are well": {[]member{master("a", one), replica("b", two, one)}, 2, step{phase: Ready}},
		"the second copies": {
			[]member{master("a", one), changed(replica("b", two, one), func(base *member) { base.synced = false })}, 2,
			step{phase: Configuring},
		},
		"the one that has most takes over": {
			[]member{
				changed(master("a", one), silent),
				replica("b", two, one),
				changed(replica("c", "10.0.0.3", one), func(base *member) { base.offset = 9 }),
			}, 3,
			step{phase: Configuring, promote: "c"},
		},
		"a former master is not sent to any more": {
			[]member{changed(master("a", one), silent), changed(replica("b", two, ""), func(base *member) { base.role = masterRole })}, 2,
			step{phase: Configuring, label: map[string]string{"a": ""}},
		},
		"it comes back as a replica": {
			[]member{{name: "a", ip: one, answers: true, current: true}, master("b", two)}, 2,
			step{phase: Configuring, follow: map[string]string{"a": two}, label: map[string]string{"a": replicaRole}},
		},
		"a new template reaches replicas first": {
			[]member{changed(master("a", one), old), changed(replica("b", two, one), old)}, 2,
			step{phase: RollingUpdate, remove: "b"},
		},
		"then a replica takes over": {
			[]member{changed(master("a", one), old), replica("b", two, one)}, 2,
			step{phase: RollingUpdate, promote: "b", label: map[string]string{"a": replicaRole, "b": masterRole}},
		},
		"then the former master": {
			[]member{changed(replica("a", one, two), old), master("b", two)}, 2,
			step{phase: RollingUpdate, remove: "a"},
		},
		"a single one is replaced as it is": {
			[]member{changed(master("a", one), old)}, 1, step{phase: RollingUpdate, remove: "a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := next(given.members, given.replicas)
			if len(got.follow) == 0 {
				got.follow = nil
			}
			if len(got.label) == 0 {
				got.label = nil
			}
			if !reflect.DeepEqual(got, given.want) {
				t.Errorf("got %+v; want %+v", got, given.want)
			}
		})
	}
}

func TestStateOfAMasterAndAReplica(t *testing.T) {
	for told, want := range map[string]State{
		"# Replication\r\nrole:master\r\nmaster_repl_offset:42\r\n":                                      {Offset: 42},
		"role:slave\r\nmaster_host:10.0.0.1\r\nmaster_link_status:up\r\nmaster_repl_offset:7\r\n":        {Follows: one, Synced: true, Offset: 7},
		"role:slave\r\nmaster_host:10.0.0.1\r\nmaster_link_status:down\r\nmaster_sync_in_progress:1\r\n": {Follows: one},
	} {
		if got := stateOf(told); got != want {
			t.Errorf("got %+v; want %+v", got, want)
		}
	}
}
