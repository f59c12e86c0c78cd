"""What makes a loaded model fast on the machine at hand.

`choice` says where and in which precision a model is computed, `threads` on how many cores, and
`packing`, `attention` and `compiling` replace parts of it by faster ones that give the same.
"""
