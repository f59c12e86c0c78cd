"""Takes jobs from the queue and has them computed: which together, how far they are, how long."""
