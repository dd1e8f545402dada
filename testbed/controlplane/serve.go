package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// settings of one cluster.
type settings struct {
	tier           string
	typeChecking   bool
	dir            string
	removeDir      bool
	detached       bool
	authentication string
	containerd     string
	coredns        string
	images         list
	noNode         string
}

type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// ready is the one line that serve prints when the cluster can be used.
type ready struct {
	Server               string            `json:"server"`
	CAFile               string            `json:"caFile"`
	Kubeconfigs          map[string]string `json:"kubeconfigs"`
	AuditLog             string            `json:"auditLog"`
	AuthenticationConfig string            `json:"authenticationConfig"`
	RealNode             bool              `json:"realNode"`
	RealNodeReason       string            `json:"realNodeReason"`
	NodeName             string            `json:"nodeName"`
	NodeAddress          string            `json:"nodeAddress"`
	HostAddress          string            `json:"hostAddress"`
	NoServicesReason     string            `json:"noServicesReason"`
	Images               []string          `json:"images"`
	Kubectl              string            `json:"kubectl"`
	Dir                  string            `json:"dir"`
	Version              string            `json:"version"`
	Pid                  int               `json:"pid"`
}

// serve starts a cluster, prints one JSON line when it is ready, and ends all of it when standard input closes, at
// SIGTERM or SIGINT, when a component dies, and when it is killed itself.
func serve(arguments []string) error {
	// A child's death signal is tied to the thread that started it. This thread lives as long as the process.
	runtime.LockOSThread()

	settings, err := parse(arguments)
	if err != nil {
		return err
	}
	ends := endings(settings.detached)
	cluster, err := newCluster(settings)
	if err != nil {
		return err
	}
	defer cluster.end()
	line, err := cluster.start(ends)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	return cluster.watch(ends)
}

func parse(arguments []string) (settings, error) {
	var parsed settings
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&parsed.tier, "tier", "apiserver", "apiserver, controllers or node")
	flags.BoolVar(&parsed.typeChecking, "type-checking", false, "have the controllers type-check admission policies")
	flags.StringVar(&parsed.dir, "dir", "", "folder for everything (default: a temporary one)")
	flags.BoolVar(&parsed.removeDir, "remove-dir", false, "remove the folder at the end")
	flags.BoolVar(&parsed.detached, "detached", false, "do not end when standard input closes, only at a signal")
	flags.StringVar(&parsed.authentication, "authentication-config", "", "AuthenticationConfiguration to start with")
	flags.StringVar(&parsed.containerd, "containerd-dir", "", "folder with containerd, its shim and ctr")
	flags.StringVar(&parsed.coredns, "coredns", "", "the program coredns; without it pods have no names")
	flags.StringVar(&parsed.noNode, "no-node", "", "make no node, for this reason")
	flags.Var(&parsed.images, "image", "OCI archive to import into the node; may be repeated")
	if err := flags.Parse(arguments); err != nil {
		return parsed, err
	}
	if flags.NArg() > 0 {
		return parsed, fmt.Errorf("unexpected argument `%s`", flags.Arg(0))
	}
	switch parsed.tier {
	case "apiserver", "controllers", "node":
	default:
		return parsed, fmt.Errorf("unknown tier `%s`: say apiserver, controllers or node", parsed.tier)
	}
	var err error
	if parsed.dir == "" {
		parsed.removeDir = true
		parsed.dir, err = os.MkdirTemp("", "reeve-testbed-")
	} else {
		parsed.dir, err = filepath.Abs(parsed.dir)
	}
	return parsed, err
}

// endings delivers the reason to stop: the end of standard input or a signal.
func endings(detached bool) <-chan string {
	ends := make(chan string, 3)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	if !detached {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			ends <- "standard input closed"
		}()
	}
	go func() { ends <- (<-signals).String() }()
	return ends
}

// watch returns when it is time to stop; a component that died is an error.
func (c *cluster) watch(ends <-chan string) error {
	died := make(chan *child, len(c.children))
	for _, one := range c.children {
		go func() {
			<-one.done
			died <- one
		}()
	}
	select {
	case <-ends:
		return nil
	case one := <-died:
		return fmt.Errorf("%s ended by itself; its last words:\n%s", one.name, one.complaint())
	}
}

const startLimit = 2 * time.Minute
