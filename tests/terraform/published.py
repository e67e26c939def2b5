"""The google provider's schema as its publisher gives it: the .jsii of the npm package @cdktf/provider-google.

Made once per version and kept in the user's cache: the package has 31 MB, and its .jsii is 98 MB of JSON.
"""

import json
import shutil
import tarfile
from pathlib import Path

from kupyterhub_local.components import download, npm
from kupyterhub_local.components.cache import cached, user_cache
from kupyterhub_local.components.download import Expected
from terraform import jsii

VERSION = "16.12.1"
"""Of the package: its last one."""
_EXPECTED = Expected(
    "sha512",
    "2aa340ff9462153d3baf43d267aff4edc276cc449481b8f525c8558f6d620450"
    "595546c3fb9efcc40fe4f1eabfaf471bc8480b9a0f5e616795b256986a1e0309",
)
PROVIDER_VERSION = "6.50.0"
"""What the package's package.json says that it was made from."""
_FORM = 3
"""Of the files that are kept; another number makes them anew."""


async def schema() -> Path:
    """Return a folder with `provider.json`, `resources/<type>.json` and `data/<type>.json` (forms in jsii.py).

    Raises Unreachable, CorruptDownload, or ComponentError where there is no npm.
    """

    async def make(folder: Path) -> None:
        archive = folder / "provider-google.tgz"
        registry = (await npm.registry()).rstrip("/")
        await download.file(f"{registry}/@cdktf/provider-google/-/provider-google-{VERSION}.tgz", archive, _EXPECTED)
        with tarfile.open(archive) as files:
            member = files.extractfile("package/.jsii")
            assert member is not None, "a jsii package has a file .jsii"
            _write(jsii.schemas(json.load(member)), folder)
        archive.unlink()

    return await cached(user_cache() / f"google-provider-schema-{PROVIDER_VERSION}-{_FORM}", make)


def _write(schemas: jsii.Schemas, folder: Path) -> None:
    (folder / "provider.json").write_text(json.dumps(schemas.provider))
    for name, blocks in (("resources", schemas.resources), ("data", schemas.data)):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
        for type_name, block in blocks.items():
            (folder / name / f"{type_name}.json").write_text(json.dumps(block))
