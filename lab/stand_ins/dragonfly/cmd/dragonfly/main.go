// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command dragonfly stands in for Dragonfly: it takes Dragonfly's flags and lets Redis do the work.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/api/resource"

	"lab/stand-ins/dragonfly/flags"
	"lab/stand-ins/dragonfly/scripts"
	"lab/stand-ins/dragonfly/snapshots"
)

// What a container may have, in either version of cgroups.
var memoryLimits = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Upstream's image starts as root and becomes this user: its tools/docker/entrypoint.sh.
const user = 999

// becomeUser leaves root behind. Who started as somebody else stays that.
func becomeUser() error {
	if os.Geteuid() != 0 {
		return nil
	}
	return errors.Join(syscall.Setgroups([]int{user}), syscall.Setgid(user), syscall.Setuid(user))
}

func run() error {
	if err := becomeUser(); err != nil {
		return err
	}
	settings, err := flags.Parse(os.Args[1:], os.Getenv)
	if err != nil {
		return fmt.Errorf("ERROR: %w", err)
	}
	if settings, err = settings.Within(memory(), runtime.NumCPU()); err != nil {
		return err
	}
	if !settings.UndeclaredKeys {
		if err := watchScripts(settings); err != nil {
			return err
		}
	}
	if settings.AdminPort != 0 {
		if err := serveAdmin(settings); err != nil {
			return err
		}
	}
	volume, err := volumeOf(settings)
	if err != nil {
		return err
	}
	return serve(settings, volume)
}

// volume is where snapshots are written.
type volume struct {
	dir, template string
	// Bytes, as the operator here tells; none means no bound.
	size   int64
	client *redis.Client
}

func volumeOf(settings flags.Settings) (volume, error) {
	size := int64(0)
	if told := os.Getenv(snapshots.SizeVariable); told != "" {
		asked, err := resource.ParseQuantity(told)
		if err != nil {
			return volume{}, fmt.Errorf("%s: %w", snapshots.SizeVariable, err)
		}
		size = asked.Value()
	}
	client := redis.NewClient(&redis.Options{Addr: address(settings), Password: settings.Password})
	return volume{settings.Dir, settings.FileName, size, client}, nil
}

// name lets Redis write its next snapshot to a file as Dragonfly would name it now.
func (volume volume) name() error {
	return volume.client.ConfigSet(context.Background(), "dbfilename", snapshots.Name(volume.template, time.Now())).Err()
}

// snapshot takes one. Upstream crashes when its volume is full: https://github.com/dragonflydb/dragonfly-operator/issues/566
func (volume volume) snapshot() error {
	if volume.template == "" {
		return errors.New("filename is not specified")
	}
	if err := snapshots.Full(volume.dir, volume.size); err != nil {
		return err
	}
	if err := volume.name(); err != nil {
		return err
	}
	return volume.client.BgSave(context.Background()).Err()
}

// serve runs Redis until it ends, which it does on SIGTERM, after a last snapshot. Its configuration comes through a pipe,
// so that the password is in no file and on no command line.
func serve(settings flags.Settings, volume volume) error {
	if err := snapshots.Full(volume.dir, volume.size); err != nil {
		return err
	}
	found, err := snapshots.Newest(settings.Dir, settings.FileName)
	if err != nil {
		return err
	}
	command := exec.Command("redis-server", "-")
	command.Stdin = strings.NewReader(settings.Redis(found))
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if err := command.Start(); err != nil {
		return err
	}
	stop, full, err := takeSnapshots(settings, volume)
	if err != nil {
		return err
	}
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case err := <-ended:
			return err
		case err := <-full:
			_ = command.Process.Kill()
			return err
		case <-signals:
			if volume.template != "" {
				_ = volume.name()
			}
			// Redis treats a second SIGINT as an order to drop everything.
			_ = command.Process.Signal(syscall.SIGTERM)
		}
	}
}

// takeSnapshots takes them by the schedule, and tells when there is no room for another.
func takeSnapshots(settings flags.Settings, volume volume) (stop func(), full <-chan error, err error) {
	failed := make(chan error, 1)
	schedule := cron.New()
	if settings.Schedule != "" {
		_, err = schedule.AddFunc(settings.Schedule, func() {
			if err := volume.snapshot(); errors.Is(err, snapshots.ErrFull) {
				failed <- err
			} else if err != nil {
				fmt.Fprintf(os.Stderr, "Failed to perform snapshot: %v.\n", err)
			}
		})
	}
	schedule.Start()
	return func() { schedule.Stop() }, failed, err
}

// watchScripts opens the port that clients know, before Redis's own.
func watchScripts(settings flags.Settings) error {
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", settings.Port))
	if err != nil {
		return err
	}
	go new(scripts.Guard).Serve(listener, address(settings))
	return nil
}

// serveAdmin opens a second port that leads to Redis with the password said already, as --admin_nopass asks for.
func serveAdmin(settings flags.Settings) error {
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", settings.AdminPort))
	if err != nil {
		return err
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go admit(client, settings)
		}
	}()
	return nil
}

func admit(client net.Conn, settings flags.Settings) {
	defer client.Close()
	server, err := net.Dial("tcp", address(settings))
	if err != nil {
		return
	}
	defer server.Close()
	if settings.Password != "" && authenticate(server, settings.Password) != nil {
		return
	}
	go func() {
		defer server.Close()
		_, _ = io.Copy(server, client)
	}()
	_, _ = io.Copy(client, server)
}

// authenticate says AUTH in Redis's own words: https://redis.io/docs/latest/develop/reference/protocol-spec/
func authenticate(server net.Conn, password string) error {
	if _, err := fmt.Fprintf(server, "*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n", len(password), password); err != nil {
		return err
	}
	answer := make([]byte, len("+OK\r\n"))
	if _, err := io.ReadFull(server, answer); err != nil {
		return err
	}
	if string(answer) != "+OK\r\n" {
		return fmt.Errorf("Redis refuses its own password")
	}
	return nil
}

func address(settings flags.Settings) string {
	return fmt.Sprintf("127.0.0.1:%d", settings.RedisPort())
}

// memory is what the container may have, or else what the machine has.
func memory() int64 {
	limit := int64(math.MaxInt64)
	for _, file := range memoryLimits {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// "max" means no limit.
		if found, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64); err == nil {
			limit = min(limit, found)
		}
	}
	var machine syscall.Sysinfo_t
	if syscall.Sysinfo(&machine) == nil {
		limit = min(limit, int64(machine.Totalram)*int64(machine.Unit))
	}
	return limit
}
