"""The services over HTTP/1.1 for browsers and curl: Connect and gRPC-Web."""
