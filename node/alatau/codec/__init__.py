"""Byte encodings that are hashed, signed or stored."""
