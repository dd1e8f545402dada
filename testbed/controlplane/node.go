package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// node is a kubelet with its container runtime in process, mount and network namespaces of their own: the end of its
// first process takes every container, mount, network device and packet rule with it.
type node struct {
	Name       string
	Address    string // of the bridge of pods
	Subnet     string
	Link       string // the device on the machine that leads to the node
	HostEnd    string // the machine's address there, and the node's
	NodeEnd    string
	Cgroup     string
	Folder     string // on the disk, not in a memory file system
	Containerd string
	Images     []string
	PKI        string
	Kubeconfig string
	// Kubeconfigs of what gives Services addresses and names, empty where there is none of it.
	Proxy   string
	Names   string
	CoreDNS string

	process *child
	join    io.WriteCloser
}

const (
	cniPlugins = "/usr/lib/cni"
	namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET
)

// prepareNode says why this machine cannot have a node, or makes everything that it needs.
func (c *cluster) prepareNode() (*node, error) {
	folder := c.path("node")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	if err := c.unfit(folder); err != nil {
		return nil, err
	}
	number, err := c.cleaner.takeSlot()
	if err != nil {
		return nil, err
	}
	made := &node{
		Name: fmt.Sprintf("reeve-node-%d", number), Address: nodeAddress(number), Subnet: subnet(number),
		Link: linkName(number), HostEnd: hostEnd(number), NodeEnd: nodeEnd(number),
		Cgroup: cgroupName(number), Folder: folder, Containerd: c.containerd,
		Images: c.images, PKI: c.pki.folder, Kubeconfig: c.kubeconfig("node"),
	}
	if c.noServices = c.withoutServices(); c.noServices == nil {
		made.Proxy, made.Names, made.CoreDNS = c.kubeconfig("kube-proxy"), c.kubeconfig("coredns"), c.coredns
	}
	if _, err := c.pki.issue("node", made.identity()); err != nil {
		return nil, err
	}
	if err := made.makeCgroup(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(made.file("node.json"), text, 0o644); err != nil {
		return nil, err
	}
	made.process, err = prepare(c.logs, "node-init", namespaces, made.file("node.json"))
	if err != nil {
		return nil, err
	}
	made.join, err = made.process.cmd.StdinPipe()
	return made, err
}

func (n *node) file(name string) string { return filepath.Join(n.Folder, name) }

func (n *node) identity() identity {
	return identity{
		user: "system:node:" + n.Name, groups: []string{"system:nodes"},
		ips: []net.IP{net.ParseIP(n.Address)}, names: []string{n.Name},
	}
}

// unfit tries what a node needs instead of guessing it from versions.
func (c *cluster) unfit(folder string) error {
	if c.noNode != "" {
		return fmt.Errorf("%s", c.noNode)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("a real node needs root")
	}
	if c.containerd == "" {
		return fmt.Errorf("no containerd given (testbed/build.sh containerd builds it)")
	}
	for _, program := range []string{"runc", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("no `%s` in PATH; testbed/install-packages.sh installs it", program)
		}
	}
	for _, plugin := range []string{"bridge", "host-local", "loopback"} {
		if _, err := os.Stat(filepath.Join(cniPlugins, plugin)); err != nil {
			return fmt.Errorf("no network plugin %s/%s; testbed/install-packages.sh installs it", cniPlugins, plugin)
		}
	}
	if len(cgroupHierarchies()) == 0 {
		return fmt.Errorf("no control groups under /sys/fs/cgroup")
	}
	for _, hidden := range []string{"/run/", "/var/lib/", "/var/log/"} {
		if strings.HasPrefix(folder, hidden) {
			return fmt.Errorf("the folder %s lies below %s, which the node replaces by its own", folder, hidden)
		}
	}
	probe := exec.Command("/proc/self/exe", "node-probe", folder)
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	if output, err := probe.CombinedOutput(); err != nil {
		reason := strings.TrimSpace(string(output) + "\n" + err.Error())
		return fmt.Errorf("no own namespaces or overlay mounts here: %s", reason)
	}
	return nil
}

// makeCgroup gives all pods of this node one parent, apart from other nodes on this machine.
func (n *node) makeCgroup() error {
	for _, hierarchy := range cgroupHierarchies() {
		folder := filepath.Join(hierarchy, n.Cgroup)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		// Version 1 starts a new cpuset empty, and takes no process into an empty one.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			value, err := os.ReadFile(filepath.Join(hierarchy, file))
			if err != nil || filepath.Base(hierarchy) != "cpuset" {
				continue
			}
			if err := os.WriteFile(filepath.Join(folder, file), value, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cluster) startNode() error {
	if err := c.node.process.run(); err != nil {
		return err
	}
	c.cleaner.outlive(c.node.process)
	if err := c.node.makeLink(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.node.join, "link")
	return err
}

// joinNode waits for the images, lets the kubelet start and waits until the scheduler may use the node.
func (c *cluster) joinNode() error {
	watched := append([]*child{c.node.process}, c.children...)
	err := await("the node's images", startLimit, watched, func() bool {
		_, err := os.Stat(c.node.file("imported"))
		return err == nil
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c.node.join, "join"); err != nil {
		return err
	}
	err = await("the node", time.Minute, watched, func() bool {
		var seen struct {
			Spec   struct{ Taints []any }
			Status struct {
				Conditions []struct{ Type, Status string }
			}
		}
		if !c.get("/api/v1/nodes/"+c.node.Name, &seen) || len(seen.Spec.Taints) > 0 {
			return false
		}
		for _, condition := range seen.Status.Conditions {
			if condition.Type == "Ready" {
				return condition.Status == "True"
			}
		}
		return false
	})
	if err == nil && c.noServices == nil {
		err = c.awaitServices(watched)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, c.node.process.complaint())
	}
	c.children = append(c.children, c.node.process)
	return nil
}

// imageNames are those the import left.
func (n *node) imageNames() []string {
	text, err := os.ReadFile(n.file("imported"))
	if err != nil {
		return []string{}
	}
	return strings.Fields(string(text))
}
