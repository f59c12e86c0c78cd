"""Where claimed jobs are computed: the protocol, and what implements it."""
