#!/usr/bin/env bash
# Those unit tests that need nothing but Python, of what a release is made of. The whole of `make test` is for before a
# merge: it wants Kubernetes, a browser, Go, git and root, and judges the style as well. The age of the images' base is for
# there, too: nobody's deploy fails by the passing of time alone.
#   TESTED=yes|'' test.sh
set -euo pipefail
if [ "${TESTED:-}" = yes ]; then
    echo "the tests of this commit passed in an earlier build"
    exit
fi
cd "$(dirname "$0")/../.."
make .venv/.test
# A warning of a library is no reason not to install.
exec .venv/bin/python -m pytest --quiet -W default tests/unit \
    --ignore=tests/unit/{gcp,enrollment,images/test_age_of_the_base.py}
