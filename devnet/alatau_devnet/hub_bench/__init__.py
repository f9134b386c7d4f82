"""The parts of ``make bench-hub``: a hub without a chain, and a load that is signed beforehand."""
