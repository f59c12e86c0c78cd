"""What makes a loaded model fast on the machine at hand.

`choice` says where and in which precision a model is computed, `threads` on how many cores, and
`packing` and `compiling` replace parts of it by faster ones that give the same: `layers` with
weights in oneDNN's order, and of those `winograd`, `resnets`, `transformers` and their `attention`.
"""
