"""How the small model in the package is trained."""
