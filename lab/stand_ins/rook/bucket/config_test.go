// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package bucket

import "testing"

func TestReadConfig(t *testing.T) {
	for name, given := range map[string]struct {
		config  map[string]string
		allowed string
		want    string
	}{
		"nothing":               {nil, DefaultAllowed, ""},
		"quotas":                {map[string]string{"maxSize": "100G", "maxObjects": "1000"}, DefaultAllowed, ""},
		"a policy that may be":  {map[string]string{"bucketPolicy": "{}"}, "maxObjects,maxSize,bucketPolicy", ""},
		"a policy that may not": {map[string]string{"bucketPolicy": "{}"}, DefaultAllowed, `OBC config "bucketPolicy" is not allowed`},
		"no quantity":           {map[string]string{"maxSize": "much"}, DefaultAllowed, "failed to parse maxSize quota: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
		"what a stand-in lacks": {map[string]string{"bucketLifecycle": "{}"}, "bucketLifecycle", `OBC config "bucketLifecycle": this stand-in for Rook doesn't have it`},
		"nothing is allowed":    {map[string]string{"maxSize": "1G"}, "", `OBC config "maxSize" is not allowed`},
	} {
		_, err := readConfig(given.config, given.allowed)
		if got := text(err); got != given.want {
			t.Errorf("%s: got %q; want %q", name, got, given.want)
		}
	}
	read, _ := readConfig(map[string]string{"bucketPolicy": "{}"}, "bucketPolicy")
	if read.policy == nil || *read.policy != "{}" {
		t.Errorf("the policy is %v", read.policy)
	}
}

func TestTheProvisionersNameFollowsUpstreamsSettings(t *testing.T) {
	for name, given := range map[string]struct {
		settings Settings
		want     string
	}{
		"as the chart sets it":   {Settings{"ROOK_OBC_WATCH_OPERATOR_NAMESPACE": "true"}, "rook-ceph.ceph.rook.io/bucket"},
		"as the code has it":     {nil, "ceph.rook.io/bucket"},
		"the prefix comes first": {Settings{"ROOK_OBC_WATCH_OPERATOR_NAMESPACE": "true", "ROOK_OBC_PROVISIONER_NAME_PREFIX": "mine"}, "mine.ceph.rook.io/bucket"},
	} {
		if got, err := given.settings.Provisioner("rook-ceph"); err != nil || got != given.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, given.want)
		}
	}
	if _, err := (Settings{"ROOK_OBC_PROVISIONER_NAME_PREFIX": "No/Name"}).Provisioner("rook-ceph"); err == nil {
		t.Error("a prefix that is no name is taken")
	}
	if (Settings{}).Allowed() != DefaultAllowed || (Settings{"ROOK_OBC_ALLOW_ADDITIONAL_CONFIG_FIELDS": "maxSize"}).Allowed() != "maxSize" {
		t.Error("what is allowed doesn't follow the setting")
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
