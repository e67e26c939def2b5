"""One builder for all tests of images."""

import os
import shutil

import pytest

from images.builder import Builder
from kupyterhub_local.components.cache import user_cache


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    missing = [program for program in ("buildah", "mmdebstrap", "unshare", "setpriv") if not shutil.which(program)]
    if os.geteuid() != 0:
        missing.append("root, for whom buildah needs no more than itself")
    if missing:
        reason = f"no images can be built here; missing: {', '.join(missing)} (tests/install_buildah.sh)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return Builder(user_cache() / "images", tmp_path_factory.mktemp("images"))
