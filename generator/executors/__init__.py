"""Where claimed jobs are computed: the protocol, and who keeps to it."""
