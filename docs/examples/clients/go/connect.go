package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// snippet: connect

// dial connects to a node over TLS and trusts the authorities of the file, nobody else. The connection is made with the
// first call, and anew after a loss.
func dial(node, caFile string) (*grpc.ClientConn, error) {
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, errors.New(caFile + " has no certificate")
	}
	secure := credentials.NewTLS(&tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS13})
	return grpc.NewClient(node, grpc.WithTransportCredentials(secure))
}

// end
