// Command reeve-kubernetes is a whole Kubernetes for tests in one file: every component under its upstream name, chosen
// by the name the program is called by or by its first argument, and `serve`, which starts a cluster of them.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// Our own commands, by name. The upstream ones are in component.
var ours = map[string]func(arguments []string) error{
	"serve":          serve,
	"etcd":           runEtcd,
	"node-init":      nodeInit,
	"node-probe":     nodeProbe,
	"services-probe": servicesProbe,
	"clean-up":       cleanUpAfter,
}

func main() {
	name := filepath.Base(os.Args[0])
	if !known(name) {
		if len(os.Args) < 2 {
			fail("name a component: serve, etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kube-proxy, kubelet or kubectl")
		}
		name = os.Args[1]
		os.Args = os.Args[1:]
	}
	if run, found := ours[name]; found {
		if err := run(os.Args[1:]); err != nil {
			fail("%s: %v", name, err)
		}
		return
	}
	command := component(name)
	if command == nil {
		fail("unknown component `%s`", name)
	}
	os.Exit(cli.Run(command))
}

func known(name string) bool {
	switch name {
	case "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl":
		return true
	}
	return ours[name] != nil
}

// component constructs only the command asked for: the API server's installs a signal handler that may exist once per
// process.
func component(name string) *cobra.Command {
	switch name {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand()
	case "kube-controller-manager":
		return controllermanager.NewControllerManagerCommand()
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "kube-proxy":
		return proxy.NewProxyCommand()
	case "kubelet":
		return kubelet.NewKubeletCommand(context.Background())
	case "kubectl":
		return kubectl.NewDefaultKubectlCommand()
	}
	return nil
}

func say(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "testbed: "+format+"\n", values...)
}

func fail(format string, values ...any) {
	say(format, values...)
	os.Exit(1)
}
