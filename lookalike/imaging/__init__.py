"""Pictures from strangers: checked, stripped and decoded in a process that may die of them."""
