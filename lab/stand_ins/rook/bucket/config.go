// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package bucket

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// DefaultAllowed is what a claim may ask for besides a bucket when nothing else is set, as in upstream's code.
const DefaultAllowed = "maxObjects,maxSize"

// config is what a claim's additionalConfig asks for and is kept here.
type config struct {
	policy *string
}

// readConfig returns it, or why it can't be had. `allowed` is the operator's setting.
//
// Quotas have to be right and bound nothing, as this gateway knows none.
func readConfig(given map[string]string, allowed string) (config, error) {
	read := config{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(strings.Split(allowed, ","), name) {
			return config{}, fmt.Errorf("OBC config %q is not allowed", name)
		}
		value := given[name]
		switch name {
		case "maxObjects", "maxSize", "bucketMaxObjects", "bucketMaxSize":
			if _, err := resource.ParseQuantity(value); err != nil {
				return config{}, fmt.Errorf("failed to parse %s quota: %w", name, err)
			}
		case "bucketPolicy":
			read.policy = &value
		default:
			return config{}, fmt.Errorf("OBC config %q: this stand-in for Rook doesn't have it", name)
		}
	}
	return read, nil
}
