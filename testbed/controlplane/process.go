package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const poll = 50 * time.Millisecond

// child is a component running as a process of its own. The kernel kills it when this process dies, however that
// happens; this holds only for children started from the locked main thread (see serve).
type child struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

// prepare makes the command that runs this program again under a component's name.
func prepare(logs, name string, cloneFlags uintptr, arguments ...string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	made := &child{name: name, log: filepath.Join(logs, name+".log"), done: make(chan struct{})}
	made.cmd = exec.Command(program, append([]string{name}, arguments...)...)
	// Its own process group: Ctrl-C is for the supervisor, which ends the children in the right order.
	made.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, Cloneflags: cloneFlags}
	return made, nil
}

func (c *child) run() error {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	c.cmd.Stdout = log
	c.cmd.Stderr = log
	if err := c.cmd.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", c.name, err)
	}
	go func() {
		_ = c.cmd.Wait()
		close(c.done)
	}()
	return nil
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// kill does not ask: an API server takes more than 5 s over SIGTERM, and hangs when etcd is gone first.
func (c *child) kill() {
	if c == nil || c.cmd.Process == nil {
		return
	}
	_ = c.cmd.Process.Kill()
	<-c.done
}

// complaint is the end of the child's log.
func (c *child) complaint() string {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// await polls until ready says so. It gives up when a child ends or the time is over.
func await(what string, limit time.Duration, children []*child, ready func() bool) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(poll) {
		if ready() {
			return nil
		}
		for _, c := range children {
			if c.ended() {
				return fmt.Errorf("%s ended while we waited for %s:\n%s", c.name, what, c.complaint())
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s took longer than %s", what, limit)
		}
	}
}

// freePort is one that nobody listens on now. It lies below the range the kernel takes outgoing ports from; another
// process may still be faster, so whoever uses it tries again.
func freePort() int {
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	return 0
}
