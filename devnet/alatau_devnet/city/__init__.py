"""``make city``: a day of a city of 52,000 that pays through one hub, on real processes, proved to the tiyn."""
