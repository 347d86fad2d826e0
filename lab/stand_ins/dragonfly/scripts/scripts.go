// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package scripts stands before a Redis and lets scripts touch declared keys only, as Dragonfly does unless it is configured otherwise:
// https://www.dragonflydb.io/docs/managing-dragonfly/scripting
package scripts

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

//go:embed guard.lua
var guard string

// Guard knows the scripts that clients have shown, by what Redis calls them.
type Guard struct {
	mutex sync.Mutex
	known map[string]string
}

// Serve answers clients with what the Redis at an address says.
func (scripts *Guard) Serve(listener net.Listener, redis string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go scripts.relay(client, redis)
	}
}

func (scripts *Guard) relay(client net.Conn, redis string) {
	defer client.Close()
	server, err := net.Dial("tcp", redis)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer client.Close()
		_, _ = io.Copy(client, server)
	}()
	reader := bufio.NewReader(client)
	for {
		command, err := read(reader)
		if err != nil {
			return
		}
		if _, err := server.Write(written(scripts.Rewritten(command))); err != nil {
			return
		}
	}
}

// Rewritten is a command that runs a script with its keys watched; any other as it is.
func (scripts *Guard) Rewritten(command [][]byte) [][]byte {
	scripts.mutex.Lock()
	defer scripts.mutex.Unlock()
	if len(command) < 2 {
		return command
	}
	name := strings.ToUpper(string(command[0]))
	switch {
	case name == "EVAL" || name == "EVAL_RO":
		scripts.remember(string(command[1]))
		return replaced(command, name, watched(string(command[1])))
	case name == "EVALSHA" || name == "EVALSHA_RO":
		if script, found := scripts.known[strings.ToLower(string(command[1]))]; found {
			return replaced(command, strings.Replace(name, "SHA", "", 1), watched(script))
		}
	case name == "SCRIPT" && len(command) > 2 && strings.EqualFold(string(command[1]), "LOAD"):
		scripts.remember(string(command[2]))
	}
	return command
}

func (scripts *Guard) remember(script string) {
	if scripts.known == nil {
		scripts.known = map[string]string{}
	}
	sum := sha1.Sum([]byte(script))
	scripts.known[hex.EncodeToString(sum[:])] = script
}

func replaced(command [][]byte, name, script string) [][]byte {
	return append([][]byte{[]byte(name), []byte(script)}, command[2:]...)
}

// watched is a script behind the guard, on the same line, so that errors name the lines that its author knows.
func watched(script string) string {
	first := ""
	if strings.HasPrefix(script, "#!") {
		line, rest, _ := strings.Cut(script, "\n")
		first, script = line+"\n", rest
	}
	return first + strings.Join(strings.Fields(guard), " ") + " " + script
}

// read reads one command: https://redis.io/docs/latest/develop/reference/protocol-spec/
func read(reader *bufio.Reader) ([][]byte, error) {
	line, err := reader.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	line = bytes.TrimRight(line, "\r\n")
	if !bytes.HasPrefix(line, []byte("*")) {
		return bytes.Fields(line), nil
	}
	count, err := strconv.Atoi(string(line[1:]))
	if err != nil {
		return nil, err
	}
	command := make([][]byte, 0, max(count, 0))
	for range count {
		part, err := bulk(reader)
		if err != nil {
			return nil, err
		}
		command = append(command, part)
	}
	return command, nil
}

func bulk(reader *bufio.Reader) ([]byte, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	length, err := strconv.Atoi(strings.TrimPrefix(strings.TrimRight(line, "\r\n"), "$"))
	if err != nil {
		return nil, err
	}
	part := make([]byte, length+2)
	_, err = io.ReadFull(reader, part)
	return part[:length], err
}

func written(command [][]byte) []byte {
	if len(command) == 0 {
		return []byte("\r\n")
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "*%d\r\n", len(command))
	for _, part := range command {
		fmt.Fprintf(&out, "$%d\r\n%s\r\n", len(part), part)
	}
	return out.Bytes()
}
