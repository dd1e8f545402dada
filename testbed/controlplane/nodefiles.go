package main

import (
	"os"
	"strings"
	"text/template"
)

// pauseImage must be among the imported archives: there is no registry to take it from.
const pauseImage = "local.test/pause:1"

// All of these lie in the node's private /run.
var nodeFiles = map[string]string{
	"/run/containerd.toml": `version = 2
root = "/run/containerd-data"
state = "/run/containerd"
# The first would make /opt/containerd on the machine.
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "` + containerdSocket + `"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + pauseImage + `"
  # Root without CAP_SYS_RESOURCE may not lower an oom_score_adj, and no pod would start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "` + cniPlugins + `"
    conf_dir = "/run/cni/net.d"
`,
	// No masquerade: pods reach each other, the node and the machine, nothing beyond.
	"/run/cni/net.d/10-testbed.conflist": `{"cniVersion": "1.0.0", "name": "testbed", "plugins": [{
  "type": "bridge", "bridge": "` + podBridge + `", "isGateway": false, "ipMasq": false, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "/run/cni/networks",
    "ranges": [[{"subnet": "{{.Subnet}}", "gateway": "{{.Address}}"}]], "routes": [{"dst": "0.0.0.0/0"}]}
}]}
`,
	"/run/resolv.conf": "nameserver 127.0.0.1\n",
	"/run/kubelet.yaml": `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {{.Address}}
healthzPort: 0
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: {{.PKI}}/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: {{.PKI}}/node.crt
tlsPrivateKeyFile: {{.PKI}}/node.key
containerRuntimeEndpoint: unix://` + containerdSocket + `
# Newer kubelets refuse control groups of version 1 unless told otherwise.
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: /{{.Cgroup}}
enforceNodeAllocatable: []
makeIPTablesUtilChains: false
oomScoreAdj: 0
# CoreDNS listens there. Where it does not run: without an address every pod gets a warning event.
clusterDomain: cluster.local
clusterDNS: [{{.Address}}]
resolvConf: /run/resolv.conf
volumePluginDir: /run/volume-plugins
podLogsDir: /var/log/pods
evictionHard: {memory.available: 50Mi, nodefs.available: "1%", imagefs.available: "1%"}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
maxPods: 240
kubeAPIQPS: 200
kubeAPIBurst: 400
registryPullQPS: 0
eventRecordQPS: 0
`,
	// The conntrack settings are the machine's, not the node's: zero leaves them alone.
	"/run/kube-proxy.yaml": `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
hostnameOverride: {{.Name}}
clusterCIDR: {{.Subnet}}
detectLocalMode: ClusterCIDR
clientConnection: {kubeconfig: "{{.Proxy}}", qps: 200, burst: 400}
healthzBindAddress: {{.Address}}:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 50ms}
`,
	// What is no name of the cluster is nobody's: there is nothing beyond.
	"/run/Corefile": `.:53 {
  bind {{.Address}}
  ready {{.Address}}:8181
  errors
  cache 2
  kubernetes cluster.local {
    kubeconfig {{.Names}}
    ttl 2
  }
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`,
}

func (n *node) writeFiles() error {
	if err := os.MkdirAll("/run/cni/net.d", 0o755); err != nil {
		return err
	}
	for name, text := range nodeFiles {
		parsed, err := template.New(name).Parse(text)
		if err != nil {
			return err
		}
		var filled strings.Builder
		if err := parsed.Execute(&filled, n); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(filled.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
