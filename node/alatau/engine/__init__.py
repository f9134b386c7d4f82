"""The owner task: receive an input, step the pure cores, perform their effects in order."""
