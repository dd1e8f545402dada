package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/component-base/version"
)

// cluster is what serve has started so far, so that it can be ended at any point.
type cluster struct {
	settings
	logs    string
	pki     *authority
	admin   pair
	etcdURL string
	server  string
	http    *http.Client
	node    *node
	// Why pods have neither addresses nor names of Services, if that is so.
	noServices error
	cleaner    *cleaner
	children   []*child
}

func newCluster(settings settings) (*cluster, error) {
	made := &cluster{settings: settings, logs: filepath.Join(settings.dir, "logs")}
	if err := os.MkdirAll(made.logs, 0o755); err != nil {
		return nil, err
	}
	var err error
	made.cleaner, err = startCleaner(made.logs)
	if err != nil {
		return nil, err
	}
	if settings.removeDir {
		made.cleaner.removeFolder(settings.dir)
	}
	return made, nil
}

func (c *cluster) path(name string) string { return filepath.Join(c.dir, name) }

// start brings the parts up in order. The node's container runtime needs no API server and starts beside it.
func (c *cluster) start(ends <-chan string) (ready, error) {
	line := ready{Images: []string{}, Kubeconfigs: map[string]string{}, Dir: c.dir, Pid: os.Getpid()}
	if err := c.makeIdentities(); err != nil {
		return line, err
	}
	var unfit error
	if c.tier == "node" {
		if c.node, unfit = c.prepareNode(); unfit == nil {
			unfit = c.startNode()
		}
	}
	steps := []func() error{c.startEtcd, c.startAPIServer, func() error { return c.writeKubeconfigs(&line) }}
	if c.tier != "apiserver" {
		steps = append(steps, c.startControllers)
	}
	for _, step := range steps {
		select {
		case reason := <-ends:
			return line, fmt.Errorf("stopped while starting: %s", reason)
		default:
		}
		if err := step(); err != nil {
			return line, err
		}
	}
	if c.tier == "node" {
		if unfit == nil {
			unfit = c.joinNode()
		}
		line.RealNode = unfit == nil
		if unfit != nil {
			line.RealNodeReason = unfit.Error()
			c.dropNode()
		} else {
			line.NodeName = c.node.Name
			line.NodeAddress = c.node.Address
			line.HostAddress = c.node.HostEnd
			if c.noServices != nil {
				line.NoServicesReason = c.noServices.Error()
			}
			line.Images = c.node.imageNames()
		}
	} else {
		line.RealNodeReason = "not asked for"
	}
	if c.tier != "apiserver" {
		if err := c.awaitControllers(); err != nil {
			return line, err
		}
	}
	program, err := os.Executable()
	line.Kubectl = filepath.Join(filepath.Dir(program), "kubectl")
	line.Version = version.Get().GitVersion
	return line, err
}

func (c *cluster) makeIdentities() error {
	var err error
	if c.pki, err = newAuthority(c.path("pki")); err != nil {
		return err
	}
	if err := c.pki.serviceAccountKey(); err != nil {
		return err
	}
	_, err = c.pki.issue("kubelet-client", identity{user: "kube-apiserver-kubelet-client", groups: []string{"system:masters"}})
	if err != nil {
		return err
	}
	if c.admin, err = c.pki.issue("admin", identity{user: "admin", groups: []string{"system:masters"}}); err != nil {
		return err
	}
	trust, err := c.pki.client(c.admin)
	if err != nil {
		return err
	}
	c.http = &http.Client{Transport: &http.Transport{TLSClientConfig: trust}}
	return nil
}

// writeKubeconfigs writes one for each client of the API server. The installer is an administrator who also is in the
// group that may change what protects the cluster.
func (c *cluster) writeKubeconfigs(line *ready) error {
	who := map[string]identity{
		"installer":          {user: "installer", groups: []string{"system:masters", "reeve:installers"}},
		"controller-manager": {user: "system:kube-controller-manager"},
		"scheduler":          {user: "system:kube-scheduler"},
	}
	servers := map[string]string{}
	if c.node != nil {
		who["node"] = c.node.identity()
		who["kube-proxy"] = identity{user: "system:kube-proxy"}
		// No role that Kubernetes brings along lets it read EndpointSlices and namespaces.
		who["coredns"] = identity{user: "system:coredns", groups: []string{"system:masters"}}
		for _, name := range []string{"node", "kube-proxy", "coredns"} {
			servers[name] = strings.Replace(c.server, "127.0.0.1", c.node.HostEnd, 1)
		}
	}
	for name, identity := range who {
		issued, err := c.pki.issue(name, identity)
		if err != nil {
			return err
		}
		server := c.server
		if servers[name] != "" {
			server = servers[name]
		}
		if err := writeKubeconfig(c.kubeconfig(name), server, c.pki.pem, issued); err != nil {
			return err
		}
	}
	if err := writeKubeconfig(c.kubeconfig("admin"), c.server, c.pki.pem, c.admin); err != nil {
		return err
	}
	for _, name := range []string{"admin", "installer"} {
		line.Kubeconfigs[name] = c.kubeconfig(name)
	}
	line.Server = c.server
	line.CAFile = c.pki.file("ca.crt")
	line.AuditLog = c.path("audit.log")
	line.AuthenticationConfig = c.path("authentication.yaml")
	return nil
}

func (c *cluster) kubeconfig(name string) string { return c.path(name + ".kubeconfig") }

// get reads an object, or says false while it is not there.
func (c *cluster) get(path string, into any) bool {
	answer, err := c.http.Get(c.server + path)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return false
	}
	return into == nil || json.Unmarshal(body, into) == nil
}

// end kills everything, the API server before etcd, and waits until nothing is left on the machine.
func (c *cluster) end() {
	for index := len(c.children) - 1; index >= 0; index-- {
		c.children[index].kill()
	}
	c.dropNode()
	c.cleaner.finish()
}

func (c *cluster) dropNode() {
	if c.node != nil {
		if c.node.process != nil {
			c.node.process.kill()
		}
		c.node = nil
	}
}
