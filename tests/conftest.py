"""What holds for all tests."""

from hypothesis import settings

# A test never asserts a time: on a busy machine any example may take long. And a check's result is the commit's
# alone: every run draws the same examples. `make fuzz-tests` loads the other profile and draws new ones.
settings.register_profile("check", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("check")
