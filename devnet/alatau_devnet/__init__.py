"""Local networks on one machine: launcher, tour, faults, benchmarks. For development only: its keys are public."""
