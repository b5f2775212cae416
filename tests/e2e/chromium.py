"""How Chromium is started wherever we drive it."""

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
