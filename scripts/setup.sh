#!/usr/bin/env bash
# Makes .venv ready for use: scripts/setup.sh [EXTRA]. Does nothing if it is ready already.
# A Python that has a fitting PyTorch lends it; otherwise PyTorch is downloaded, and its size is said first.
set -euo pipefail
cd "$(dirname "$0")/.."
extra=${1:-}
stamp=.venv/.ready-${extra:-run}-$(cksum <pyproject.toml | cut -d' ' -f1)
[ -e "$stamp" ] && exit 0

fitting='
import sys
if sys.version_info < (3, 11):
    sys.exit(1)
if sys.argv[1] == "torch":
    from importlib.metadata import version
    found = tuple(int(part) for part in version("torch").split("+")[0].split(".")[:2])
    sys.exit(not (2, 10) <= found < (2, 14))
'
find_python() {  # find_python torch|any: the first Python that fits
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if command -v "$candidate" >/dev/null && "$candidate" -c "$fitting" "$1" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

if [ ! -x .venv/bin/python ]; then
    if python=$(find_python torch); then
        echo "Setting up .venv with the PyTorch of $(command -v "$python")"
        "$python" -m venv --system-site-packages .venv
    elif python=$(find_python any); then
        echo "Setting up .venv with $("$python" --version)"
        "$python" -m venv .venv
    else
        echo "Ganvas needs Python 3.11 or newer; install it and run this again" >&2
        exit 2
    fi
fi
if ! .venv/bin/python -c "$fitting" torch 2>/dev/null; then
    cat <<'TEXT'
Downloading PyTorch: about 200 MB where the package index has a CPU build for this system (macOS, Windows, arm);
on Linux its build brings CUDA libraries, about 3 GB in all. To avoid them, install the CPU build that
https://pytorch.org/get-started shows for the Python you use, and run this again. Ctrl-C stops.
TEXT
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".${extra:+[$extra]}"
touch "$stamp"
