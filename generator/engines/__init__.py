"""What makes a loaded model fast on the machine at hand.

`choice` picks the device and the precision, `threads` the number of cores. `packing` and
`compiling` replace parts of a model by faster ones that give the same: `layers` with weights in
oneDNN's order, and on top of them `winograd`, `resnets`, `transformers` and their `attention`.
"""
