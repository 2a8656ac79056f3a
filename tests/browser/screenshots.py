#!/usr/bin/env python3
"""Takes the pictures of docs/screenshots/ from the running programs: light, dark, detail drawer,
disconnected, degraded, and a page without calls.

    tests/browser/screenshots.py --build build/release
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import stage

CALLS = [
    "--calls", "28", "--seed", "11", "--late", "0.01",
    "--sources", "harper=1,cucom=1,ms=2,abcd=2",
]
SETTLE_S = 150  # so long until most calls have a history of some minutes


def shoot(driver, folder, name):
    path = os.path.join(folder, name + ".png")
    driver.save_screenshot(path)
    # Fewer colours and better compression, where the programs for it are installed.
    if shutil.which("pngquant"):
        subprocess.run(
            ["pngquant", "--force", "--skip-if-larger", "--output", path, "128", path],
            check=False,
        )
    if shutil.which("optipng"):
        subprocess.run(["optipng", "-quiet", "-o5", "-strip", "all", path], check=True)
    print(f"{path}: {os.path.getsize(path)} bytes")


def shoot_calls(build, folder, work, settle_s):
    settings = {"api.token": "not-a-secret-here", "decisions.path": os.path.join(work, "log")}
    with stage.Stage(build, work, CALLS, settings) as scene:
        scene.start_daemon()
        with stage.browser() as driver:
            driver.get(scene.page)
            time.sleep(settle_s)
            stage.wait_for(
                "an open alert", 120,
                lambda: driver.find_elements("css selector", "tr[data-state=alert]"),
            )
            stage.prefer_scheme(driver, "light")
            time.sleep(1)
            shoot(driver, folder, "wallboard-light")
            stage.prefer_scheme(driver, "dark")
            time.sleep(1)
            shoot(driver, folder, "wallboard-dark")
            stage.prefer_scheme(driver, "light")
            driver.find_element("css selector", "tr[data-state=alert] .row-open").click()
            time.sleep(1)
            shoot(driver, folder, "wallboard-drawer")
            driver.find_element("css selector", ".drawer-head .tool").click()
            scene.kill_daemon()
            time.sleep(5)
            shoot(driver, folder, "wallboard-disconnected")


def shoot_degraded(build, folder, work):
    """A vendor that forbids us to reach the agents."""
    with stage.Stage(build, work, [*CALLS, "--deny", "suggestions"]) as scene:
        scene.start_daemon()
        with stage.browser(width=1180, height=760) as driver:
            driver.get(scene.page)
            stage.wait_for(
                "what is wrong", 120,
                lambda: driver.find_elements("css selector", "[data-code=suggestions_denied]"),
            )
            time.sleep(20)
            shoot(driver, folder, "wallboard-degraded")


def shoot_empty(build, folder, work):
    """A vendor whose list names no call."""
    with stage.Stage(build, work, ["--calls", "0"]) as scene:
        scene.start_daemon()
        with stage.browser() as driver:
            driver.get(scene.page)
            time.sleep(5)
            shoot(driver, folder, "wallboard-empty")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default=os.path.join(stage.ROOT, "build/release"))
    parser.add_argument("--out", default=os.path.join(stage.ROOT, "docs/screenshots"))
    parser.add_argument("--settle", type=float, default=SETTLE_S, metavar="SECONDS")
    options = parser.parse_args()
    if stage.missing():
        sys.exit(f"screenshots: {stage.missing()}")
    os.makedirs(options.out, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        shoot_calls(options.build, options.out, os.path.join(work, "calls"), options.settle)
        shoot_degraded(options.build, options.out, os.path.join(work, "degraded"))
        shoot_empty(options.build, options.out, os.path.join(work, "empty"))


if __name__ == "__main__":
    main()
