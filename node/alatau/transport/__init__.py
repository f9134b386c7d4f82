"""gRPC under Trio: the only package that knows grpc and asyncio."""
