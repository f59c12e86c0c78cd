"""The gRPC service that owns every database action."""
