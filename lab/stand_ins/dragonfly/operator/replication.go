// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"cmp"
	"slices"
)

// Phases as upstream writes them.
const (
	ResourcesCreated = "ResourcesCreated"
	Configuring      = "Configuring"
	RollingUpdate    = "RollingUpdate"
	Ready            = "Ready"
)

// member is one pod, in the order of their ordinals, and what its Redis says of itself.
type member struct {
	name string
	ip   string
	// From the pod's label.
	role string
	// It is healthy, and its Redis answers.
	answers bool
	// It was made from the StatefulSet's newest template.
	current bool
	// The address that it replicates from; none makes it a master.
	follows string
	// It has all that its master has.
	synced bool
	offset int64
}

// step is what is to be done next, and the phase until then.
type step struct {
	phase   string
	promote string
	// Pod → address of the master to replicate from.
	follow map[string]string
	// Pod → role that its label should say.
	label  map[string]string
	remove string
}

// next decides without looking at anything else. One thing is done at a time, and then everything is looked at again.
func next(members []member, replicas int) step {
	master, found := pickMaster(members)
	if !found {
		return step{phase: ResourcesCreated}
	}
	if master.follows != "" {
		return step{phase: Configuring, promote: master.name}
	}
	plan := step{phase: Ready, follow: map[string]string{}, label: map[string]string{}}
	for _, one := range members {
		plan.settle(one, master)
	}
	if len(plan.follow) > 0 || len(plan.label) > 0 {
		plan.phase = Configuring
		return plan
	}
	if !settled(members, master, replicas) {
		plan.phase = Configuring
		return plan
	}
	return roll(members, master)
}

// pickMaster keeps the one that there is. Otherwise it takes the one that has most.
func pickMaster(members []member) (member, bool) {
	answering := slices.DeleteFunc(slices.Clone(members), func(one member) bool { return !one.answers })
	if len(answering) == 0 {
		return member{}, false
	}
	for _, one := range answering {
		if one.role == masterRole {
			return one, true
		}
	}
	// Of several that have as much, the first.
	return slices.MaxFunc(answering, func(a, b member) int { return cmp.Compare(a.offset, b.offset) }), true
}

func (plan *step) settle(one, master member) {
	if !one.answers {
		// Nobody should be sent to it, and when it comes back it must not be taken for the master that it was.
		if one.role == masterRole {
			plan.label[one.name] = ""
		}
		return
	}
	role := replicaRole
	if one.name == master.name {
		role = masterRole
	} else if one.follows != master.ip {
		plan.follow[one.name] = master.ip
	}
	if one.role != role {
		plan.label[one.name] = role
	}
}

func settled(members []member, master member, replicas int) bool {
	return len(members) == replicas && !slices.ContainsFunc(members, func(one member) bool {
		return !one.answers || one.name != master.name && !one.synced
	})
}

// roll replaces pods of an older template, replicas first. Then a replica takes over, so that the master can be replaced.
func roll(members []member, master member) step {
	for _, one := range members {
		if !one.current && one.name != master.name {
			return step{phase: RollingUpdate, remove: one.name}
		}
	}
	if master.current {
		return step{phase: Ready}
	}
	for _, one := range members {
		if one.name != master.name {
			return step{phase: RollingUpdate, promote: one.name, label: map[string]string{master.name: replicaRole, one.name: masterRole}}
		}
	}
	return step{phase: RollingUpdate, remove: master.name}
}
