package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	containerdSocket = "/run/containerd/containerd.sock"
	ownRun           = "/run"
)

// nodeInit is the first process in the node's namespaces: it makes the machine's folders private, sets up the network,
// starts containerd, imports the images, starts the kubelet when told to, with it what gives Services addresses and names,
// and buries the dead. When it ends, the kernel ends the rest.
func nodeInit(arguments []string) error {
	text, err := os.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	var n node
	if err := json.Unmarshal(text, &n); err != nil {
		return err
	}
	if err := n.privateMounts(); err != nil {
		return err
	}
	if err := n.writeFiles(); err != nil {
		return err
	}
	orders := bufio.NewReader(os.Stdin)
	if _, err := orders.ReadString('\n'); err != nil {
		return err
	}
	if err := n.network(); err != nil {
		return err
	}
	// containerd finds its shim, and the shim finds runc, by PATH.
	if err := os.Setenv("PATH", n.Containerd+":"+os.Getenv("PATH")); err != nil {
		return err
	}
	containerd, err := spawn(n.log("containerd"), filepath.Join(n.Containerd, "containerd"), "--config", "/run/containerd.toml")
	if err != nil {
		return err
	}
	if err := n.importImages(); err != nil {
		return err
	}
	if _, err := orders.ReadString('\n'); err != nil {
		return err
	}
	essential := map[int]string{containerd: "containerd"}
	if err := n.startServices(essential); err != nil {
		return err
	}
	kubelet, err := spawn(n.log("kubelet"), "/proc/self/exe", "kubelet", "--config=/run/kubelet.yaml",
		"--root-dir=/run/kubelet", "--cert-dir=/run/kubelet-pki", "--hostname-override="+n.Name,
		"--node-ip="+n.Address, "--kubeconfig="+n.Kubeconfig)
	if err != nil {
		return err
	}
	essential[kubelet] = "kubelet"
	go func() {
		_, _ = io.Copy(io.Discard, orders)
		os.Exit(0)
	}()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case essential[pid] != "":
			return fmt.Errorf("%s ended with %d:\n%s", essential[pid], status.ExitStatus(), tail(n.log(essential[pid])))
		}
	}
}

func (n *node) log(name string) string {
	return filepath.Join(filepath.Dir(n.Folder), "logs", name+".log")
}

// privateMounts hides every place outside the cluster's folder where containerd, the network plugins or the kubelet
// write, with short names for the big folders: sockets below them must stay under 108 bytes.
func (n *node) privateMounts() error {
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	for _, folder := range []string{ownRun, "/var/log"} {
		if err := mount("tmpfs", folder, "tmpfs", 0, "mode=0755"); err != nil {
			return err
		}
	}
	if err := overlay("/var/lib", "/run/var-lib", "/var/lib"); err != nil {
		return err
	}
	for _, name := range []string{"containerd-data", "kubelet"} {
		from, to := n.file(name), filepath.Join(ownRun, name)
		for _, folder := range []string{from, to} {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
		}
		if err := mount(from, to, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	// The kubelet and containers share mounts; nothing leaves this namespace.
	return mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, "")
}

func overlay(lower, private, target string) error {
	upper, work := filepath.Join(private, "upper"), filepath.Join(private, "work")
	for _, folder := range []string{upper, work, target} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	return mount("overlay", target, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work))
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("cannot mount `%s` (%s %s) at %s: %w", source, kind, options, target, err)
	}
	return nil
}

// nodeProbe fails where a node would: it makes the mounts a node makes, in the folder given.
func nodeProbe(arguments []string) error {
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	probe := filepath.Join(arguments[0], "probe")
	lower := filepath.Join(probe, "lower")
	if err := os.MkdirAll(lower, 0o755); err != nil {
		return err
	}
	return overlay(lower, probe, filepath.Join(probe, "merged"))
}

// importImages leaves the names of the images in a file, which is the sign that they are there.
func (n *node) importImages() error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.Dial("unix", containerdSocket)
		if err == nil {
			_ = connection.Close()
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("containerd does not answer:\n%s", tail(n.log("containerd")))
		}
	}
	ctr := func(arguments ...string) ([]byte, error) {
		arguments = append([]string{"-a", containerdSocket, "-n", "k8s.io", "images"}, arguments...)
		command := exec.Command(filepath.Join(n.Containerd, "ctr"), arguments...)
		var complaint strings.Builder
		command.Stderr = &complaint
		output, err := command.Output()
		if err != nil {
			err = fmt.Errorf("ctr %s: %w: %s", strings.Join(arguments, " "), err, complaint.String())
		}
		return output, err
	}
	failures := make([]error, len(n.Images))
	var all sync.WaitGroup
	for index, archive := range n.Images {
		all.Go(func() { _, failures[index] = ctr("import", archive) })
	}
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	listed, err := ctr("list", "--quiet")
	if err != nil {
		return err
	}
	var names []string
	for _, name := range strings.Fields(string(listed)) {
		if !strings.HasPrefix(name, "sha256:") {
			names = append(names, name)
		}
	}
	return os.WriteFile(n.file("imported"), []byte(strings.Join(names, "\n")), 0o644)
}

// spawn starts a process that only the loop in nodeInit waits for.
func spawn(log, program string, arguments ...string) (int, error) {
	file, err := os.Create(log)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	argv := append([]string{filepath.Base(program)}, arguments...)
	process, err := os.StartProcess(program, argv, &os.ProcAttr{Files: []*os.File{null, file, file}, Env: os.Environ()})
	if err != nil {
		return 0, err
	}
	return process.Pid, nil
}

func tail(log string) string { return (&child{log: log}).complaint() }
