"""What asks Ray Serve, and what replicas run."""
