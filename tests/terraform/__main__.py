"""`python -m terraform` (in tests/): get what the tests of infra/gcp need, before their time is counted."""

import asyncio

from terraform import linters, published


async def _get() -> None:
    await asyncio.gather(published.schema(), linters.checkov(), linters.tflint())


if __name__ == "__main__":
    asyncio.run(_get())
