package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The bridge of pods and the way to the machine, as they are called in the node's own network namespace.
const (
	podBridge = "pods"
	uplink    = "uplink"
)

// makeLink connects the node's network namespace with the machine, which reaches pods by it and is reached by them.
func (n *node) makeLink() error {
	steps := [][]string{
		{"link", "add", n.Link, "type", "veth", "peer", "name", uplink, "netns", strconv.Itoa(n.process.cmd.Process.Pid)},
		{"addr", "add", n.HostEnd + "/30", "dev", n.Link},
		{"link", "set", n.Link, "up"},
		{"route", "add", n.Subnet, "via", n.NodeEnd},
	}
	return ipAll(steps)
}

// network makes the other end, and the bridge, which comes before the kubelet: that needs an address that is not loopback.
func (n *node) network() error {
	steps := [][]string{
		{"link", "set", "lo", "up"},
		{"addr", "add", n.NodeEnd + "/30", "dev", uplink},
		{"link", "set", uplink, "up"},
		{"route", "add", "default", "via", n.HostEnd},
		{"link", "add", podBridge, "type", "bridge"},
		{"addr", "add", n.Address + "/24", "dev", podBridge},
		{"link", "set", podBridge, "up"},
	}
	if err := ipAll(steps); err != nil {
		return err
	}
	// All of these are the namespace's own. What goes from pod to pod by way of a Service's address has to pass the rules
	// on the way back as well, although it need not leave the bridge.
	settings := map[string]string{"net/ipv4/ip_forward": "1"}
	if n.Proxy != "" {
		settings["net/bridge/bridge-nf-call-iptables"] = "1"
	}
	for name, value := range settings {
		if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func ipAll(steps [][]string) error {
	for _, step := range steps {
		if err := ip(step...); err != nil {
			return err
		}
	}
	return nil
}

// withoutServices says why pods of this node have neither addresses nor names of Services: it tries the rules that
// kube-proxy needs in a network namespace that is gone at once.
func (c *cluster) withoutServices() error {
	if c.coredns == "" {
		return fmt.Errorf("no coredns given (testbed/build.sh tools builds it)")
	}
	probe := exec.Command("/proc/self/exe", "services-probe")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if output, err := probe.CombinedOutput(); err != nil {
		return fmt.Errorf("no packet rules here: %s", strings.TrimSpace(string(output)+"\n"+err.Error()))
	}
	return nil
}

// servicesProbe fails where kube-proxy would.
func servicesProbe([]string) error {
	if _, err := os.Stat("/proc/sys/net/bridge/bridge-nf-call-iptables"); err != nil {
		return fmt.Errorf("the kernel does not show the packets of bridges to its rules: %w", err)
	}
	rules := `table ip probe {
	chain services {
		type nat hook prerouting priority -100
		fib daddr type local numgen random mod 2 vmap { 0 : accept, 1 : accept }
	}
	chain leaving {
		type nat hook postrouting priority 100
		masquerade fully-random
	}
}
`
	command := exec.Command("nft", "-f", "-")
	command.Stdin = strings.NewReader(rules)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}

// startServices starts what gives Services addresses and names.
func (n *node) startServices(essential map[int]string) error {
	if n.Proxy == "" {
		return nil
	}
	proxy, err := spawn(n.log("kube-proxy"), "/proc/self/exe", "kube-proxy", "--config=/run/kube-proxy.yaml")
	if err != nil {
		return err
	}
	essential[proxy] = "kube-proxy"
	names, err := spawn(n.log("coredns"), n.CoreDNS, "-conf", "/run/Corefile")
	if err != nil {
		return err
	}
	essential[names] = "coredns"
	return nil
}

// awaitServices waits until both have seen the cluster.
func (c *cluster) awaitServices(watched []*child) error {
	client := &http.Client{Timeout: time.Second}
	return await("addresses and names of Services", time.Minute, watched, func() bool {
		for _, url := range []string{":10256/healthz", ":8181/ready"} {
			answer, err := client.Get("http://" + c.node.Address + url)
			if err != nil {
				return false
			}
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return false
			}
		}
		return true
	})
}

// certifyAPIServer comes after the node, for pods and kubelet know the API server by an address of the node's link.
func (c *cluster) certifyAPIServer() error {
	addresses := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)}
	if c.node != nil {
		addresses = append(addresses, net.ParseIP(c.node.HostEnd))
	}
	names := []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
	_, err := c.pki.issue("apiserver", identity{user: "kube-apiserver", ips: addresses, names: names})
	return err
}

// reachability are the flags that say where pods find the API server, and how it finds Services: by the addresses of their
// pods, for the machine has no rules for those of Services.
func (c *cluster) reachability() []string {
	if c.node == nil {
		return []string{"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"}
	}
	return []string{"--advertise-address=" + c.node.HostEnd, "--enable-aggregator-routing=true"}
}

// forward lets the node's side reach the API server, which listens on loopback alone, for as long as this process lives.
func forward(from, to string) error {
	listener, err := net.Listen("tcp", from)
	if err != nil {
		return err
	}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go join(near.(*net.TCPConn), to)
		}
	}()
	return nil
}

func join(near *net.TCPConn, to string) {
	defer near.Close()
	dialled, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	far := dialled.(*net.TCPConn)
	defer far.Close()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]*net.TCPConn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			_ = pair[0].CloseWrite()
			done <- struct{}{}
		}()
	}
	<-done
	<-done
}
