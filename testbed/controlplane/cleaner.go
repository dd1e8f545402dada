package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cleaner is a process that outlives serve, however serve ends, and removes from the machine what does not vanish with
// the processes: the node's bridge, its control groups, changed kernel settings, the temporary folder. It is in a
// session of its own and works when the pipe to it closes.
type cleaner struct {
	cmd     *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
}

func startCleaner(logs string) (*cleaner, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(logs, "clean-up.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	made := &cleaner{cmd: exec.Command(program, "clean-up")}
	made.cmd.Stderr = log
	// Not in the cluster's folder and not in the terminal's session: neither may hold it up or end it.
	made.cmd.Dir = "/"
	made.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if made.orders, err = made.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	answers, err := made.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	made.answers = bufio.NewReader(answers)
	return made, made.cmd.Start()
}

func (c *cleaner) removeFolder(folder string) { fmt.Fprintf(c.orders, "folder %s\n", folder) }

// outlive makes the cleaner kill the process and wait for its end before it cleans.
func (c *cleaner) outlive(process *child) {
	fmt.Fprintf(c.orders, "process %d\n", process.cmd.Process.Pid)
}

// takeSlot reserves a number for a node on this machine (see slots.go); the cleaner holds it and gives it back.
func (c *cleaner) takeSlot() (int, error) {
	fmt.Fprintln(c.orders, "slot")
	answer, err := c.answers.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the cleaner died: %w", err)
	}
	number, err := strconv.Atoi(strings.TrimSpace(answer))
	if err != nil {
		return 0, fmt.Errorf("cannot reserve a node number: %s", strings.TrimSpace(answer))
	}
	return number, nil
}

// finish lets the cleaner work and waits until it is done.
func (c *cleaner) finish() {
	_ = c.orders.Close()
	_ = c.cmd.Wait()
}

// cleanUpAfter is the cleaner's own program: it takes orders until the pipe closes, then cleans.
func cleanUpAfter([]string) error {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
	var folders []string
	var processes []int
	var reserved *slot
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		order, argument, _ := strings.Cut(orders.Text(), " ")
		switch order {
		case "folder":
			folders = append(folders, argument)
		case "process":
			pid, err := strconv.Atoi(argument)
			if err != nil {
				continue
			}
			// A handle, not a number: the number may be somebody else's by the time we use it.
			if handle, err := unix.PidfdOpen(pid, 0); err == nil {
				processes = append(processes, handle)
			}
		case "slot":
			var err error
			if reserved, err = takeSlot(); err != nil {
				fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
			} else {
				fmt.Println(reserved.number)
			}
		}
	}
	for _, handle := range processes {
		_ = unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0)
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}, 20_000)
	}
	if reserved != nil {
		if err := reserved.release(); err != nil {
			say("%v", err)
		}
	}
	for _, folder := range folders {
		if err := patiently(func() error { return os.RemoveAll(folder) }); err != nil {
			say("cannot remove %s: %v", folder, err)
		}
	}
	return nil
}

// patiently repeats what may fail for a moment while the kernel lets go of dead processes.
func patiently(try func() error) error {
	var err error
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(poll) {
		if err = try(); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
