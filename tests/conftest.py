"""What holds for all tests."""

from hypothesis import settings

# A test never asserts a time (docs: testing): on a busy machine any example may take long.
settings.register_profile("alatau", deadline=None)
settings.load_profile("alatau")
