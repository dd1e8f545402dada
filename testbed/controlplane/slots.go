package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Several clusters may run on one machine, and each node needs a bridge, a subnet and control groups that nobody else
// has. All of them follow from one number, its slot, held by a lock on a file. A slot whose holders were all killed is
// free again, with their leftovers; whoever takes it next removes those first.
type slot struct {
	number int
	lock   *os.File
}

const slotFolder = "/run/reeve-testbed"

func (s *slot) link() string { return linkName(s.number) }

func linkName(number int) string    { return fmt.Sprintf("rvtb%d", number) }
func cgroupName(number int) string  { return fmt.Sprintf("reeve-testbed-%d", number) }
func subnet(number int) string      { return fmt.Sprintf("10.197.%d.0/24", number) }
func nodeAddress(number int) string { return fmt.Sprintf("10.197.%d.1", number) }
func hostEnd(number int) string     { return fmt.Sprintf("10.198.%d.1", number) }
func nodeEnd(number int) string     { return fmt.Sprintf("10.198.%d.2", number) }

// Kernel settings that the kubelet changes for the whole machine.
var kernelSettings = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes", "net/ipv4/ip_forward",
}

func takeSlot() (*slot, error) {
	if err := os.MkdirAll(slotFolder, 0o755); err != nil {
		return nil, err
	}
	all, err := lockFile("lock", syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer all.Close()
	for number := range 250 {
		lock, err := lockFile(fmt.Sprintf("slot-%d", number), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		if err != nil {
			return nil, err
		}
		taken := &slot{number: number, lock: lock}
		if err := errors.Join(taken.clear(), rememberKernelSettings()); err != nil {
			_ = lock.Close()
			return nil, err
		}
		return taken, nil
	}
	return nil, errors.New("250 nodes run on this machine already")
}

// release removes what the node left and, after the last node of the machine, restores the kernel settings.
func (s *slot) release() error {
	all, err := lockFile("lock", syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer all.Close()
	failed := s.clear()
	if !s.othersTaken() {
		failed = errors.Join(failed, restoreKernelSettings())
	}
	return errors.Join(failed, s.lock.Close())
}

func (s *slot) othersTaken() bool {
	files, _ := filepath.Glob(filepath.Join(slotFolder, "slot-*"))
	for _, file := range files {
		if file == s.lock.Name() {
			continue
		}
		lock, err := lockFile(filepath.Base(file), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil {
			return true
		}
		_ = lock.Close()
	}
	return false
}

func (s *slot) clear() error {
	// The link goes with the node's network namespace; the kernel may be a moment late with that, or be faster than we are.
	failed := patiently(func() error {
		if _, err := os.Stat("/sys/class/net/" + s.link()); err != nil {
			return nil
		}
		return ip("link", "delete", s.link())
	})
	for _, hierarchy := range cgroupHierarchies() {
		failed = errors.Join(failed, patiently(func() error {
			return removeCgroup(filepath.Join(hierarchy, cgroupName(s.number)))
		}))
	}
	return failed
}

// cgroupHierarchies are the mounted ones: several folders with version 1, the root itself with version 2.
func cgroupHierarchies() []string {
	const root = "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/cgroup.procs"); err == nil {
		return []string{root}
	}
	files, _ := filepath.Glob(root + "/*/cgroup.procs")
	var folders []string
	for _, file := range files {
		folders = append(folders, filepath.Dir(file))
	}
	return folders
}

func removeCgroup(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeCgroup(filepath.Join(folder, entry.Name())); err != nil {
				return err
			}
		}
	}
	return syscall.Rmdir(folder)
}

func settingsFile() string { return filepath.Join(slotFolder, "kernel-settings.json") }

func rememberKernelSettings() error {
	if _, err := os.Stat(settingsFile()); err == nil {
		return nil
	}
	values := map[string]string{}
	for _, name := range kernelSettings {
		if value, err := os.ReadFile("/proc/sys/" + name); err == nil {
			values[name] = strings.TrimSpace(string(value))
		}
	}
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	return os.WriteFile(settingsFile(), text, 0o644)
}

func restoreKernelSettings() error {
	text, err := os.ReadFile(settingsFile())
	if err != nil {
		return err
	}
	values := map[string]string{}
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	var failed error
	for name, value := range values {
		file := "/proc/sys/" + name
		if now, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(now)) == value {
			continue
		}
		failed = errors.Join(failed, os.WriteFile(file, []byte(value), 0o644))
	}
	return errors.Join(failed, os.Remove(settingsFile()))
}

func lockFile(name string, how int) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(slotFolder, name), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), how); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func ip(arguments ...string) error {
	output, err := exec.Command("ip", arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(arguments, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
