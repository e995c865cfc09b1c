"""Commands run within the process, as the tests of the command line run them."""

from tests.cli.conftest import alertd

__all__ = ["alertd"]
