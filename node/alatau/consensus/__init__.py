"""Tendermint (arXiv 1807.04938) as a pure state machine: inputs in, effects out, no I/O, no clock, no chance."""
