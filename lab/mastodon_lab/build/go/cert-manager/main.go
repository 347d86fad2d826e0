// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command lab is all of cert-manager's commands in one program: the first argument, or the name it is called by, says
// which. Upstream keeps its own commands in modules that can't be had; everything they
// start is in cert-manager's root module, whose internal packages this module may import by virtue of its path.
//
// It takes the flags and the configuration file that cert-manager's chart gives, and fails on any other flag.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cert-manager/cert-manager/internal/cmd/util"
	cmwebhook "github.com/cert-manager/cert-manager/internal/webhook"
	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util/configfile"
	webhookconfigfile "github.com/cert-manager/cert-manager/pkg/webhook/configfile"
	webhookoptions "github.com/cert-manager/cert-manager/pkg/webhook/options"
)

var parts = map[string]func(context.Context, []string) error{
	"acmesolver":      runSolver,
	"cainjector":      runInjector,
	"controller":      runController,
	"startupapicheck": runCheck,
	"webhook":         runWebhook,
}

func main() {
	ctx, exit := util.SetupExitHandler(context.Background(), util.GracefulShutdown)
	defer exit()
	logf.InitLogs()
	defer logf.FlushLogs()
	ctrl.SetLogger(logf.Log)

	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	run, known := parts[name]
	if !known && len(args) > 0 {
		name, args = args[0], args[1:]
		run, known = parts[name]
	}
	if !known {
		fmt.Fprintln(os.Stderr, "usage: lab acmesolver|cainjector|controller|startupapicheck|webhook [flags]")
		util.SetExitCodeValue(2)
		return
	}
	if err := run(logf.NewContext(ctx, logf.Log, name), args); err != nil {
		logf.Log.Error(err, "cert-manager stopped", "part", name)
		util.SetExitCode(err)
	}
}

// parse reads the flags twice: once for where the configuration file is, and again so that flags win over the file.
func parse(flags *pflag.FlagSet, args []string, file configfile.ConfigFile, adopt func()) error {
	path := flags.String("config", "", "file with this part's configuration")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *path == "" {
		return nil
	}
	loader, err := configfile.NewConfigurationFSLoader(nil, *path)
	if err != nil {
		return err
	}
	if err := loader.Load(file); err != nil {
		return err
	}
	adopt()
	return flags.Parse(args)
}

func runWebhook(ctx context.Context, args []string) error {
	config, err := webhookoptions.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	flags := pflag.NewFlagSet("webhook", pflag.ContinueOnError)
	webhookoptions.AddConfigFlags(flags, config)
	file := webhookconfigfile.New()
	if err := parse(flags, args, file, func() { *config = *file.Config }); err != nil {
		return err
	}
	if err := logf.ValidateAndApply(&config.Logging); err != nil {
		return err
	}
	server, err := cmwebhook.NewCertManagerWebhookServer(logf.FromContext(ctx), *config)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

func runSolver(ctx context.Context, args []string) error {
	server := &solver.HTTP01Solver{}
	flags := pflag.NewFlagSet("acmesolver", pflag.ContinueOnError)
	flags.IntVar(&server.ListenPort, "listen-port", 8089, "port to answer on")
	flags.StringVar(&server.Domain, "domain", "", "domain to be proven")
	flags.StringVar(&server.Token, "token", "", "token of the challenge")
	flags.StringVar(&server.Key, "key", "", "answer to the challenge")
	if err := flags.Parse(args); err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.WithoutCancel(ctx))
	}()
	return server.Listen(logf.FromContext(ctx))
}
