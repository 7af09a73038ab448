"""What was measured is shown at the end, as it is for threats."""

from tests.threats.conftest import figure

__all__ = ["figure"]
