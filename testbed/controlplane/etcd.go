package main

import (
	"fmt"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd is a single etcd member that keeps nothing safe: a test's data does not outlive the test.
//
//	etcd DATA-DIR CLIENT-URL PEER-URL
func runEtcd(arguments []string) error {
	if len(arguments) != 3 {
		return fmt.Errorf("want a data folder, a client URL and a peer URL")
	}
	client, err := url.Parse(arguments[1])
	if err != nil {
		return err
	}
	peer, err := url.Parse(arguments[2])
	if err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Dir = arguments[0]
	config.ListenClientUrls = []url.URL{*client}
	config.AdvertiseClientUrls = []url.URL{*client}
	config.ListenPeerUrls = []url.URL{*peer}
	config.AdvertisePeerUrls = []url.URL{*peer}
	config.InitialCluster = config.Name + "=" + peer.String()
	config.UnsafeNoFsync = true
	config.LogLevel = "error"
	// The only member wins every election; waiting a second for the first one is lost time.
	config.TickMs = 20
	config.ElectionMs = 200
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	return <-server.Err()
}
