"""For all tests: how hypothesis searches."""

import os

from hypothesis import settings

# Shared machines stall: how long an example takes is for bench/ to say. In CI the same examples come every time, so
# that a change is judged by what it changed; on other machines each run looks at new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
