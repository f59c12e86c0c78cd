"""The stages of the work, a file for each; `table.py` says which one a state calls for.

A stage takes a leased generation one state further and is safe to repeat: it first looks at what
its earlier self recorded, and records before it goes on. Whatever stops it is raised.
"""
