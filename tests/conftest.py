"""Asserts in what tests share are to say what they compared; this is read before anything of it is imported."""

import pytest

pytest.register_assert_rewrite("contracts", "twins")
