package main

import (
	"fmt"
	"net/http"
	"os"
)

// How often a component may lose the race for its port.
const attempts = 5

func (c *cluster) launch(name string, arguments ...string) (*child, error) {
	made, err := prepare(c.logs, name, 0, arguments...)
	if err != nil {
		return nil, err
	}
	if err := made.run(); err != nil {
		return nil, err
	}
	c.cleaner.outlive(made)
	return made, nil
}

// retry starts a component on fresh ports until it is ready.
func (c *cluster) retry(try func() (*child, error)) error {
	var last error
	for range attempts {
		started, err := try()
		if err == nil {
			c.children = append(c.children, started)
			return nil
		}
		last = err
		if started == nil || !started.ended() {
			started.kill()
			return err
		}
	}
	return last
}

func (c *cluster) startEtcd() error {
	return c.retry(func() (*child, error) {
		data := c.path("etcd")
		if err := os.RemoveAll(data); err != nil {
			return nil, err
		}
		c.etcdURL = fmt.Sprintf("http://127.0.0.1:%d", freePort())
		started, err := c.launch("etcd", data, c.etcdURL, fmt.Sprintf("http://127.0.0.1:%d", freePort()))
		if err != nil {
			return nil, err
		}
		return started, await("etcd", startLimit, []*child{started}, func() bool {
			answer, err := http.Get(c.etcdURL + "/health")
			if err == nil {
				_ = answer.Body.Close()
			}
			return err == nil && answer.StatusCode == http.StatusOK
		})
	})
}

func (c *cluster) startAPIServer() error {
	if err := os.WriteFile(c.path("audit-policy.yaml"), []byte(auditPolicy), 0o644); err != nil {
		return err
	}
	authentication := []byte(defaultAuthentication)
	if c.authentication != "" {
		var err error
		if authentication, err = os.ReadFile(c.authentication); err != nil {
			return err
		}
	}
	if err := os.WriteFile(c.path("authentication.yaml"), authentication, 0o644); err != nil {
		return err
	}
	if err := c.certifyAPIServer(); err != nil {
		return err
	}
	return c.retry(func() (*child, error) {
		port := freePort()
		c.server = fmt.Sprintf("https://127.0.0.1:%d", port)
		arguments := []string{
			"--etcd-servers=" + c.etcdURL,
			"--bind-address=127.0.0.1",
			fmt.Sprintf("--secure-port=%d", port),
			"--service-cluster-ip-range=10.96.0.0/16",
			"--tls-cert-file=" + c.pki.file("apiserver.crt"),
			"--tls-private-key-file=" + c.pki.file("apiserver.key"),
			"--client-ca-file=" + c.pki.file("ca.crt"),
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + c.pki.file("sa.pub"),
			"--service-account-signing-key-file=" + c.pki.file("sa.key"),
			"--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=NodeRestriction",
			"--authentication-config=" + c.path("authentication.yaml"),
			"--audit-policy-file=" + c.path("audit-policy.yaml"),
			"--audit-log-path=" + c.path("audit.log"),
			"--audit-log-format=json",
			// Never rotated: a test counts what is in the file.
			"--audit-log-maxsize=1000000",
			"--kubelet-client-certificate=" + c.pki.file("kubelet-client.crt"),
			"--kubelet-client-key=" + c.pki.file("kubelet-client.key"),
			"--kubelet-certificate-authority=" + c.pki.file("ca.crt"),
			// Else the node's name would have to resolve before logs and exec work.
			"--kubelet-preferred-address-types=InternalIP",
			"--allow-privileged=true",
			"--profiling=false",
		}
		started, err := c.launch("kube-apiserver", append(arguments, c.reachability()...)...)
		if err != nil {
			return nil, err
		}
		if c.node != nil {
			if err := forward(fmt.Sprintf("%s:%d", c.node.HostEnd, port), fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
				return started, err
			}
		}
		return started, await("the API server", startLimit, append([]*child{started}, c.children...), func() bool {
			return c.get("/readyz", nil)
		})
	})
}

// startControllers does not wait for them; see awaitControllers.
func (c *cluster) startControllers() error {
	kubeconfigs := func(name string) []string {
		file := c.kubeconfig(name)
		return []string{
			"--kubeconfig=" + file, "--authentication-kubeconfig=" + file, "--authorization-kubeconfig=" + file,
			"--leader-elect=false", "--secure-port=0", "--kube-api-qps=300", "--kube-api-burst=600",
		}
	}
	controllers := "*"
	if c.tier == "controllers" {
		// Nodes made by a test have no kubelet that reports; they must not become NotReady for it.
		controllers += ",-node-lifecycle-controller,-taint-eviction-controller"
	}
	if !c.typeChecking {
		// It writes warnings into the status of policies, which decide nothing, and takes half a minute of a core for ours.
		controllers += ",-validatingadmissionpolicy-status-controller"
	}
	manager, err := c.launch("kube-controller-manager", append(kubeconfigs("controller-manager"),
		"--controllers="+controllers,
		"--service-account-private-key-file="+c.pki.file("sa.key"),
		"--root-ca-file="+c.pki.file("ca.crt"),
		"--cluster-signing-cert-file="+c.pki.file("ca.crt"),
		"--cluster-signing-key-file="+c.pki.file("ca.key"),
		"--use-service-account-credentials=true",
		"--profiling=false",
	)...)
	if err != nil {
		return err
	}
	c.children = append(c.children, manager)
	scheduler, err := c.launch("kube-scheduler", append(kubeconfigs("scheduler"), "--profiling=false")...)
	if err != nil {
		return err
	}
	c.children = append(c.children, scheduler)
	return nil
}

// awaitControllers waits for the first thing a pod needs of them.
func (c *cluster) awaitControllers() error {
	return await("the controllers", startLimit, c.children, func() bool {
		return c.get("/api/v1/namespaces/default/serviceaccounts/default", nil) &&
			c.get("/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt", nil)
	})
}
