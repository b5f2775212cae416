#!/usr/bin/env bash
# A browser for the end-to-end tests: one that is there, else Debian's, else Playwright's own.
# As root on a Debian-like system, fonts for Chinese and emoji come along.
set -euo pipefail

python=$1

browser_works() {
    for name in chromium chromium-browser; do
        # Ubuntu's `chromium` may be a stub that only says where to get it: ask it for its version.
        if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then return 0; fi
    done
    "$python" - <<'PY'
import sys
from pathlib import Path
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    sys.exit(not Path(playwright.chromium.executable_path).exists())
PY
}

is_missing() { ! dpkg-query --show --showformat '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

wanted=()
for package in fonts-noto-cjk fonts-noto-color-emoji; do
    if ! command -v dpkg-query >/dev/null || is_missing "$package"; then wanted+=("$package"); fi
done
browser_works || wanted+=(chromium)

if [[ ${#wanted[@]} -gt 0 && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "Installing ${wanted[*]} for the tests ..."
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${wanted[@]}" >/dev/null; } || true
fi

browser_works && exit 0
echo "Installing a browser for the tests ..."
"$python" -m playwright install chromium || true
browser_works && exit 0
echo "The end-to-end tests need Chromium or Chrome. On Debian and Ubuntu: sudo apt-get install chromium" >&2
exit 1
