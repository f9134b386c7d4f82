"""The node's HTTP face against the conformance suite of Connect and gRPC-Web."""
