"""Takes jobs from the queue and has them computed: in which batches, how far along, how soon."""
