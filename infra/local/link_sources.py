"""Make this project's packages importable in its virtual environment: one .pth file that names their folders."""

import sys
import sysconfig
from pathlib import Path

site = Path(sysconfig.get_paths()["purelib"])
(site / "kupyterhub.pth").write_text("".join(f"{Path(folder).resolve()}\n" for folder in sys.argv[1:]))
