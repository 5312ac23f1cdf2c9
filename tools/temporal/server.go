package main

import (
	"fmt"
	"net"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
)

const (
	namespace = "default"
	loopback  = "127.0.0.1"
	store     = "sqlite"
	clusterID = "active"
)

// startServer starts all of Temporal's services on free ports of the loopback
// interface, with one history shard in a SQLite file, as its development server
// has it.
func startServer(file string) (temporal.Server, string, error) {
	cfg, address, err := configure(file)
	if err != nil {
		return nil, "", err
	}
	sql := cfg.Persistence.DataStores[store].SQL
	if err := sqlite.SetupSchema(sql); err != nil {
		return nil, "", fmt.Errorf("the schema: %w", err)
	}
	ns, err := sqlite.NewNamespaceConfig(clusterID, namespace, false, nil)
	if err != nil {
		return nil, "", err
	}
	if err := sqlite.CreateNamespaces(sql, ns); err != nil {
		return nil, "", fmt.Errorf("the namespace: %w", err)
	}
	s, err := temporal.NewServer(temporal.WithConfig(cfg), temporal.ForServices(temporal.DefaultServices),
		temporal.WithLogger(log.NewNoopLogger()))
	if err != nil {
		return nil, "", err
	}
	return s, address, s.Start()
}

func configure(file string) (*config.Config, string, error) {
	ports, err := freePorts(8)
	if err != nil {
		return nil, "", err
	}
	address := fmt.Sprintf("%s:%d", loopback, ports[0])
	services := map[string]config.Service{}
	for n, name := range []string{"frontend", "history", "matching", "worker"} {
		services[name] = config.Service{RPC: config.RPC{GRPCPort: ports[n], MembershipPort: ports[n+4], BindOnLocalHost: true}}
	}
	cfg := &config.Config{
		Services: services,
		Persistence: config.Persistence{DefaultStore: store, VisibilityStore: store, NumHistoryShards: 1,
			DataStores: map[string]config.DataStore{store: {SQL: &config.SQL{PluginName: sqliteplugin.PluginName,
				DatabaseName: file, ConnectAttributes: map[string]string{"mode": "rwc"}}}}},
		ClusterMetadata: &cluster.Config{FailoverVersionIncrement: 10, MasterClusterName: clusterID, CurrentClusterName: clusterID,
			ClusterInformation: map[string]cluster.ClusterInformation{clusterID: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address}}},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: address},
		Archival:            config.Archival{History: config.HistoryArchival{State: "disabled"}, Visibility: config.VisibilityArchival{State: "disabled"}},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"}}},
	}
	cfg.Global.Membership = config.Membership{MaxJoinDuration: 30 * time.Second, BroadcastAddress: loopback}
	return cfg, address, nil
}

// freePorts returns ports that nobody listens on now.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", loopback+":0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
