"""Fixtures every test may use: the shared real data, where it is present."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of public data for tests, or a skip that names the way to get it."""
    folder = Path(os.environ.get("PERLINSOS_TEST_DATA") or "../shared/data")
    if not (folder / "README.md").exists():
        pytest.skip(f"no test data at {folder}: set PERLINSOS_TEST_DATA to the folder that holds it")
    return folder
