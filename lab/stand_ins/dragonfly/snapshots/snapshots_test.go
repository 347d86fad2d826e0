// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package snapshots

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 28, 12, 0, 1, 0, time.UTC)

func TestEachSnapshotHasAFileOfItsOwnUnlessTheNameIsFixed(t *testing.T) {
	for template, want := range map[string]string{
		"dump-{timestamp}":           "dump-2026-11-28T12:00:01-summary.dfs",
		"dump":                       "dump-summary.dfs",
		"jobs-{year}-{month}-{day}x": "jobs-2026-11-28x-summary.dfs",
	} {
		if got := Name(template, noon); got != want {
			t.Errorf("%s: got %s, want %s", template, got, want)
		}
	}
	if Name("dump-{timestamp}", noon) == Name("dump-{timestamp}", noon.Add(time.Second)) {
		t.Error("one takes the place of the other")
	}
}

func TestTheNewestIsFoundWhateverItsNameWas(t *testing.T) {
	dir := t.TempDir()
	if got, err := Newest(dir, "dump"); got != "" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for name, age := range map[string]time.Duration{
		"dump-2026-11-28T11:00:00-summary.dfs": 3 * time.Hour,
		"dump-2026-11-28T12:00:00-summary.dfs": 2 * time.Hour,
		"dump.rdb":                             4 * time.Hour,
		"dump-0000.dfs.tmp":                    0,
		"other-summary.dfs":                    0,
	} {
		write(t, filepath.Join(dir, name), 1)
		if err := os.Chtimes(filepath.Join(dir, name), noon.Add(-age), noon.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	for _, template := range []string{"dump", "dump-{timestamp}"} {
		if got, err := Newest(dir, template); got != "dump-2026-11-28T12:00:00-summary.dfs" || err != nil {
			t.Errorf("%s: got %q, %v", template, got, err)
		}
	}
	write(t, filepath.Join(dir, "dump-summary.dfs"), 1)
	if got, _ := Newest(dir, "dump"); got != "dump-summary.dfs" {
		t.Errorf("got %q", got)
	}
}

func TestAVolumeIsFullWhenItsFilesFillIt(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "dump-1-summary.dfs"), 600)
	if err := Full(dir, 1000); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(dir, "dump-2-summary.dfs"), 600)
	if err := Full(dir, 1000); err == nil || !strings.Contains(err.Error(), "No space left on device (1200 of 1000 bytes") {
		t.Errorf("got %v", err)
	}
	if err := Full(dir, 0); err != nil {
		t.Errorf("without a size: %v", err)
	}
}

func TestNamesThatUpstreamRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"dump": "", "dump-{timestamp}": "", "": "",
		"dump.rdb":    `DF snapshot format requires no filename extension. Got ".rdb"`,
		"dir/dump":    `filename may not contain directory separators (Got "dir/dump")`,
		`"dump"`:      `filename should not start with '"', could it be that you put quotes in the flagfile?`,
		"dump-2.0dfs": `DF snapshot format requires no filename extension. Got ".0dfs"`,
	} {
		got := ""
		if err := Check(name); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func write(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
}
