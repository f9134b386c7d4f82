"""The composition root: home folder, configuration, keys, logs, metrics, and the node put together."""
