"""Property tests draw the same examples every time, and keep what they store under build/."""

from hypothesis import configuration, settings

configuration.set_hypothesis_home_dir("build/cache/hypothesis")
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
