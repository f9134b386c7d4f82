"""The services that clients call: validated at the edge, answered from committed state."""
