"""The Python that is run inside notebooks, of which each prints one line. Pure text."""

MARK = "kupyterhub-smoke"
"""The beginning of this program's files' names, and the field by which a document is known as one of its own."""

WRITE = """
from pathlib import Path
(Path.home() / {file!r}).write_text("of " + {file!r})
print("written")
"""
LIST = """
from pathlib import Path
print(*sorted(path.name for path in Path.home().rglob({mark!r} + "-*")))
"""
# Asks Cloud Storage for another's file with what the notebook can show of itself. One that may not ask has no right.
ASK_BUCKET = """
import json, urllib.error, urllib.request
metadata = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token"
try:
    asked = urllib.request.Request(metadata, headers={{"Metadata-Flavor": "Google"}})
    token = json.load(urllib.request.urlopen(asked, timeout=5))["access_token"]
    asked = urllib.request.Request({url!r}, headers={{"Authorization": "Bearer " + token}})
    print(urllib.request.urlopen(asked, timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError:
    print("unreachable")
"""
