// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package flags

import (
	"strings"
	"testing"
)

const mebibyte = 1 << 20

func none(string) string { return "" }

func TestWhatTheRoleAsksForBecomesRedis(t *testing.T) {
	arguments := strings.Fields("--alsologtostderr --primary_port_http_enabled=false --admin_port=9999 --admin_nopass " +
		"--default_lua_flags=allow-undeclared-keys --proactor_threads=1 --cache_mode=false --dir=/dragonfly/snapshots")
	settings, err := Parse(append(arguments, "--snapshot_cron=*/5 * * * *"), func(name string) string {
		return map[string]string{"DFLY_requirepass": `a"b`}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	if settings, err = settings.Within(512*mebibyte, 2); err != nil {
		t.Fatal(err)
	}
	if settings.AdminPort != 9999 || settings.Schedule != "*/5 * * * *" {
		t.Errorf("got %+v", settings)
	}
	for _, line := range []string{
		"port 6379", "databases 16", "maxmemory 429496729", "maxmemory-policy noeviction", `save ""`, `dbfilename "dump-summary.dfs"`,
		"enable-protected-configs local", "shutdown-on-sigterm save", `dir "/dragonfly/snapshots"`, `requirepass "a\"b"`, `masterauth "a\"b"`,
	} {
		if !strings.Contains(settings.Redis("dump-summary.dfs"), line+"\n") {
			t.Errorf("no line %q in:\n%s", line, settings.Redis("dump-summary.dfs"))
		}
	}
}

func TestACacheEvicts(t *testing.T) {
	settings, err := Parse([]string{"--cache_mode"}, none)
	if err != nil || !strings.Contains(settings.Redis("dump-summary.dfs"), "maxmemory-policy allkeys-lru\n") {
		t.Errorf("got %v, %s", err, settings.Redis("dump-summary.dfs"))
	}
}

func TestAFlagCountsMoreThanItsVariable(t *testing.T) {
	settings, err := Parse([]string{"--maxmemory=1G"}, func(name string) string {
		return map[string]string{"DFLY_maxmemory": "2G", "DFLY_dbnum": "3"}[name]
	})
	if err != nil || settings.MaxMemory != 1024*mebibyte || settings.Databases != 3 {
		t.Errorf("got %v, %+v", err, settings)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1048576": mebibyte, "900M": 900 * mebibyte, "900mb": 900 * mebibyte, "1.5GiB": 1536 * mebibyte,
	} {
		if got, err := bytes(text); got != want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for argument, want := range map[string]string{
		"--cluster_mode=emulated":               "flag not known here: --cluster_mode",
		"--maxmemory=much":                      `--maxmemory: "much" is no size such as 900M`,
		"--maxmemory=":                          `--maxmemory: "" is no size such as 900M`,
		"--maxmemory=-1G":                       `--maxmemory: "-1G" is no size such as 900M`,
		"--maxmemory=1BM":                       `--maxmemory: "1BM" is no size such as 900M`,
		"--dbfilename=dump.rdb":                 `--dbfilename=dump.rdb: DF snapshot format requires no filename extension. Got ".rdb"`,
		"--dir=s3://bucket/path":                "--dir=s3://bucket/path: Redis keeps snapshots on a volume only",
		"--default_lua_flags=disable-atomicity": "--default_lua_flags=disable-atomicity: only allow-undeclared-keys is known here",
		"--snapshot_cron=0 0 3 * * *":           "--snapshot_cron=0 0 3 * * *: expected exactly 5 fields, found 6: [0 0 3 * * *]",
		"--proactor_threads=many":               `invalid value "many" for flag -proactor_threads: parse error`,
		"word":                                  "argument not known here: word",
	} {
		if _, err := Parse([]string{argument}, none); err == nil || err.Error() != want {
			t.Errorf("%s: got %v; want %s", argument, err, want)
		}
	}
}

func TestAVariableThatIsWrongIsNotRepeated(t *testing.T) {
	_, err := Parse(nil, func(name string) string { return map[string]string{"DFLY_dbnum": "s3cret"}[name] })
	if err == nil || err.Error() != "variable DFLY_dbnum: its value is none that --dbnum takes" {
		t.Errorf("got %v", err)
	}
}

func TestTooLittleMemoryForItsThreadsIsSaidAsUpstreamDoes(t *testing.T) {
	for _, one := range []struct {
		settings   Settings
		memory     int64
		processors int
		want       string
	}{
		{Settings{Threads: 2, MaxMemory: 511 * mebibyte}, 0, 1, "There are 2 threads, so 512Mi are required. Exiting..."},
		{Settings{}, 512 * mebibyte, 2, "There are 2 threads, so 512Mi are required. Exiting..."},
		{Settings{Threads: 1}, 512 * mebibyte, 2, ""},
	} {
		_, err := one.settings.Within(one.memory, one.processors)
		if got := text(err); got != one.want {
			t.Errorf("%+v: got %q; want %q", one, got, one.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestEachSnapshotIsKeptUnlessTheirNameIsFixed(t *testing.T) {
	for argument, want := range map[string]string{
		"--dbfilename=dump": "dump", "--dbnum=1": "dump-{timestamp}", "--dbfilename=": "",
	} {
		if settings, err := Parse([]string{argument}, none); err != nil || settings.FileName != want {
			t.Errorf("%s: got %+v, %v", argument, settings, err)
		}
	}
}

func TestWithoutANameThereIsNoSnapshotAtTheEnd(t *testing.T) {
	if redis := (Settings{}).Redis(""); !strings.Contains(redis, "shutdown-on-sigterm nosave") || strings.Contains(redis, "dbfilename") {
		t.Error(redis)
	}
}

func TestScriptsAreWatchedUnlessTheyMayTouchAnyKey(t *testing.T) {
	for flag, port := range map[string]string{"": "port 6380\n", "--default_lua_flags=allow-undeclared-keys": "port 6379\n"} {
		settings, err := Parse(strings.Fields(flag), func(string) string { return "" })
		if err != nil || !strings.Contains(settings.Redis(""), port) {
			t.Errorf("%q: %s, %v", flag, settings.Redis(""), err)
		}
	}
}
