// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package flags says in Redis's words what Dragonfly's flags ask for, and refuses what Redis can't do.
//
// Flags: https://www.dragonflydb.io/docs/managing-dragonfly/flags
package flags

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/api/resource"

	"lab/stand-ins/dragonfly/snapshots"
)

// Dragonfly wants that much for each thread: https://github.com/dragonflydb/dragonfly/blob/main/src/server/dfly_main.cc
const memoryPerThread = 256 << 20

// Without a bound of its own Dragonfly takes this part of the memory that it finds.
const shareOfMemory = 0.8

// Settings are the flags that a Dragonfly here honours.
type Settings struct {
	Port      int
	AdminPort int
	Password  string
	Dir       string
	// FileName may have placeholders; without a fixed name no snapshot takes the place of another.
	FileName  string
	Schedule  string
	Databases int
	// Bytes; none means most of what the container may have.
	MaxMemory int64
	// None means one for each processor.
	Threads   int
	CacheMode bool
	// Whether scripts may touch keys that they do not declare.
	UndeclaredKeys bool
}

// RedisPort is where Redis listens: behind what watches scripts, unless they may touch any key.
func (settings Settings) RedisPort() int {
	if settings.UndeclaredKeys {
		return settings.Port
	}
	return settings.Port + 1
}

// Parse reads Dragonfly's command line, with flags that are not on it from variables such as DFLY_requirepass. A flag that
// is not known here is an error, as it is to Dragonfly.
func Parse(arguments []string, variable func(string) string) (Settings, error) {
	var settings Settings
	var luaFlags, maxMemory string
	set := flag.NewFlagSet("dragonfly", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.IntVar(&settings.Port, "port", 6379, "")
	set.IntVar(&settings.AdminPort, "admin_port", 0, "")
	set.StringVar(&settings.Password, "requirepass", "", "")
	set.StringVar(&settings.Dir, "dir", "", "")
	set.StringVar(&settings.FileName, "dbfilename", "dump-{timestamp}", "")
	set.StringVar(&settings.Schedule, "snapshot_cron", "", "")
	set.IntVar(&settings.Databases, "dbnum", 16, "")
	set.StringVar(&maxMemory, "maxmemory", "0", "")
	set.IntVar(&settings.Threads, "proactor_threads", 0, "")
	set.BoolVar(&settings.CacheMode, "cache_mode", false, "")
	set.StringVar(&luaFlags, "default_lua_flags", "", "")
	// Redis logs to where these say, and serves neither HTTP nor a second port; the admin port is a door of ours.
	// Whether replicas leave a master that restarts is up to the operator here, which makes one of them the master.
	for _, name := range []string{"alsologtostderr", "logtostderr", "primary_port_http_enabled", "admin_nopass", "break_replication_on_master_restart"} {
		set.Bool(name, false, "")
	}
	if err := set.Parse(arguments); err != nil {
		return Settings{}, errors.New(strings.Replace(err.Error(), "provided but not defined: -", "not known here: --", 1))
	}
	if set.NArg() > 0 {
		return Settings{}, fmt.Errorf("argument not known here: %s", set.Arg(0))
	}
	if err := fromVariables(set, variable); err != nil {
		return Settings{}, err
	}
	var err error
	if settings.MaxMemory, err = bytes(maxMemory); err != nil {
		return Settings{}, fmt.Errorf("--maxmemory: %w", err)
	}
	settings.UndeclaredKeys = luaFlags == "allow-undeclared-keys"
	return settings, settings.check(luaFlags)
}

func fromVariables(set *flag.FlagSet, variable func(string) string) error {
	given := map[string]bool{}
	set.Visit(func(found *flag.Flag) { given[found.Name] = true })
	var wrong error
	set.VisitAll(func(found *flag.Flag) {
		value := variable("DFLY_" + found.Name)
		if value == "" || given[found.Name] {
			return
		}
		if set.Set(found.Name, value) != nil {
			wrong = fmt.Errorf("variable DFLY_%s: its value is none that --%s takes", found.Name, found.Name)
		}
	})
	return wrong
}

func (settings Settings) check(luaFlags string) error {
	// Redis can't run a script in parts, which is what the other flag asks for.
	if luaFlags != "" && luaFlags != "allow-undeclared-keys" {
		return fmt.Errorf("--default_lua_flags=%s: only allow-undeclared-keys is known here", luaFlags)
	}
	if strings.Contains(settings.Dir, "://") {
		return fmt.Errorf("--dir=%s: Redis keeps snapshots on a volume only", settings.Dir)
	}
	if err := snapshots.Check(settings.FileName); err != nil {
		return fmt.Errorf("--dbfilename=%s: %w", settings.FileName, err)
	}
	if settings.Schedule == "" {
		return nil
	}
	if _, err := cron.ParseStandard(settings.Schedule); err != nil {
		return fmt.Errorf("--snapshot_cron=%s: %w", settings.Schedule, err)
	}
	return nil
}

// Within bounds the settings by the memory and the processors that there are, as Dragonfly does when it starts.
func (settings Settings) Within(memory int64, processors int) (Settings, error) {
	if settings.MaxMemory == 0 {
		settings.MaxMemory = int64(shareOfMemory * float64(memory))
	}
	if settings.Threads == 0 {
		settings.Threads = processors
	}
	if needed := int64(settings.Threads) * memoryPerThread; settings.MaxMemory < needed {
		return Settings{}, fmt.Errorf("There are %d threads, so %s are required. Exiting...",
			settings.Threads, resource.NewQuantity(needed, resource.BinarySI))
	}
	return settings, nil
}

// Redis is a redis.conf, with the snapshot to start from: https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/
func (settings Settings) Redis(snapshot string) string {
	policy := "noeviction"
	if settings.CacheMode {
		policy = "allkeys-lru"
	}
	lines := []string{
		fmt.Sprintf("port %d", settings.RedisPort()),
		fmt.Sprintf("databases %d", settings.Databases),
		fmt.Sprintf("maxmemory %d", settings.MaxMemory),
		"maxmemory-policy " + policy,
		"enable-debug-command no",
		// Every snapshot is named anew, from this machine.
		"enable-protected-configs local",
		// Snapshots are taken by the schedule and at the end, not by the number of changes.
		`save ""`,
		"shutdown-on-sigterm " + settings.atTheEnd(),
	}
	if snapshot != "" {
		lines = append(lines, "dbfilename "+strconv.Quote(snapshot))
	}
	if settings.Dir != "" {
		lines = append(lines, "dir "+strconv.Quote(settings.Dir))
	}
	if settings.Password != "" {
		password := strconv.Quote(settings.Password)
		lines = append(lines, "requirepass "+password, "masterauth "+password)
	}
	return strings.Join(lines, "\n") + "\n"
}

// atTheEnd is a last snapshot, unless there is no name for it.
func (settings Settings) atTheEnd() string {
	if settings.FileName == "" {
		return "nosave"
	}
	return "save"
}

// bytes reads sizes as Dragonfly has them: 900M, 1GB, 1.5GiB, each in powers of 1024.
func bytes(text string) (int64, error) {
	number := strings.TrimRight(text, "BKMGTbikmgt")
	unit := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text[len(number):]), "B"), "I")
	power, known := map[string]int{"": 0, "K": 1, "M": 2, "G": 3, "T": 4}[unit]
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || value < 0 {
		return 0, fmt.Errorf("%q is no size such as 900M", text)
	}
	return int64(value * math.Pow(1024, float64(power))), nil
}
