"""Between protobuf and the types of the node, one file for each family of messages; the only user of ``pb``."""
