"""How Chromium is started wherever we drive it."""

import shutil

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def executable() -> str | None:
    """The system's Chromium where there is one; None for the one that Playwright has installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")
