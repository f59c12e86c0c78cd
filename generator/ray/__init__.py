"""The generator in Ray Serve: what replicas run. Only `app` imports Ray."""
