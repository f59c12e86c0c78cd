"""What a person can do, a file for each; `table.py` puts them in their order."""
