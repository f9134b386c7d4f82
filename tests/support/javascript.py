"""The folder of JavaScript tests with the packages of its lock file installed."""

import hashlib
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "e2e" / "js"


def with_packages() -> Path:
    """Install them where they are not."""
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    mark = FOLDER / "node_modules" / ".installed"
    if not mark.exists() or mark.read_text() != lock:
        command = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=FOLDER, check=True)
        mark.write_text(lock)
    return FOLDER
