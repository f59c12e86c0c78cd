"""What is the same around every call: status of errors, announcement, token, codec, validation.

They stand in this order around an RPC, the first one outermost, so that a refused token or an
invalid request is announced and answered like any other failure.
"""
