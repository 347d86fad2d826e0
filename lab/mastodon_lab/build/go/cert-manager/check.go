// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util/cmapichecker"
)

// runCheck waits until cert-manager's API takes objects, as its webhook must for that.
func runCheck(ctx context.Context, args []string) error {
	flags := pflag.NewFlagSet("startupapicheck", pflag.ContinueOnError)
	patience := flags.Duration("wait", 0, "how long to try")
	flags.CountP("verbose", "v", "taken, not used")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !slices.Equal(flags.Args(), []string{"check", "api"}) {
		return fmt.Errorf("usage: startupapicheck check api [--wait DURATION]")
	}
	rest, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	checker, err := cmapichecker.New(rest, "default")
	if err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, time.Second, *patience, true, func(ctx context.Context) (bool, error) {
		if err := checker.Check(ctx); err != nil {
			logf.FromContext(ctx).Info("cert-manager's API is not ready yet", "reason", err.Error())
			return false, nil
		}
		return true, nil
	})
}
