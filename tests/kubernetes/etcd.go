package main

import (
	"net/url"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
)

// etcd is as quick as it can be: what it holds goes with the test.
func etcd() *cobra.Command {
	var data, client, peer string
	command := &cobra.Command{
		Use: "etcd",
		RunE: func(*cobra.Command, []string) error {
			config := embed.NewConfig()
			config.Dir = data
			config.UnsafeNoFsync = true
			config.LogLevel = "warn"
			for address, urls := range map[string][]*[]url.URL{
				client: {&config.ListenClientUrls, &config.AdvertiseClientUrls},
				peer:   {&config.ListenPeerUrls, &config.AdvertisePeerUrls},
			} {
				parsed, err := url.Parse("http://" + address)
				if err != nil {
					return err
				}
				for _, each := range urls {
					*each = []url.URL{*parsed}
				}
			}
			config.InitialCluster = config.InitialClusterFromName(config.Name)
			server, err := embed.StartEtcd(config)
			if err != nil {
				return err
			}
			return <-server.Err()
		},
	}
	command.Flags().StringVar(&data, "data", "", "where it keeps its data")
	command.Flags().StringVar(&client, "client", "", "host:port for the API server")
	command.Flags().StringVar(&peer, "peer", "", "host:port for other members, of which there are none")
	return command
}
