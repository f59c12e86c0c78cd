"""What is done with the rows. A function that takes a `Transaction` is one action, or part of one.

Requests and responses are the contract's messages, already validated. The words that a function
raises are ServiceErrors of the contract.
"""
