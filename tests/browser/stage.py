"""What the browser test and the screenshots share: a simulator, a daemon on a known port, and
Debian's chromium without a window."""

import argparse
import contextlib
import json
import os
import shutil
import socket
import sys
import tempfile
import time
import unittest
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))

import live  # noqa: E402

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-dev-shm-usage", "--hide-scrollbars",
]


def missing():
    """Why there is no browser to test with, or None."""
    try:
        import selenium.webdriver  # noqa: F401
    except ImportError:
        return "python3-selenium is not installed"
    for path in (CHROMIUM, DRIVER):
        if not os.path.exists(path):
            return f"{path} is not installed"
    try:
        socket.getaddrinfo("localhost", None)
    except OSError:
        return "localhost has no address here (/etc/hosts), and selenium talks to it"
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stage:
    """Both programs; the daemon may be killed and started again on the same port."""

    def __init__(self, build, folder, arguments, settings=None):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.build, self.folder = build, folder
        self.port = free_port()
        self.settings = {"http.listen": f"127.0.0.1:{self.port}", **(settings or {})}
        self.daemon = None
        self.simulator = live.Simulator(
            os.path.join(build, "undertone-sim"), folder, arguments
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.daemon:
            self.daemon.stop(15)
        self.simulator.stop(15)

    @property
    def page(self):
        return f"http://127.0.0.1:{self.port}/"

    def start_daemon(self):
        self.daemon = live.Daemon(
            os.path.join(self.build, "undertone"), self.folder, self.simulator.await_ready(),
            settings=self.settings,
        )
        self.daemon.await_started()

    def kill_daemon(self):
        os.kill(self.daemon.child.pid, 9)
        self.daemon.wait(10)

    def calls(self):
        """What the daemon says of its calls."""
        with urllib.request.urlopen(self.page + "api/calls", timeout=10) as reply:
            return json.load(reply)


@contextlib.contextmanager
def browser(width=1440, height=900):
    """A fresh chromium with a profile of its own, gone afterwards."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    profile = tempfile.mkdtemp(prefix="undertone-browser-")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS + [f"--user-data-dir={profile}", f"--window-size={width},{height}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    try:
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def prefer_scheme(driver, scheme):
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )


def wait_for(what, seconds, true):
    """Waits until true() is truthy and returns it; fails with the name of what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def run_tests(module, folder):
    """Runs a module's tests as a program: sets its `options`, returns the exit status (77: what it
    needs is missing, and a line says what)."""
    parser = argparse.ArgumentParser(description=module.__doc__.split("\n\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--out", default=os.path.join(ROOT, folder))
    module.options = parser.parse_args()
    if missing():
        print(f"skipped: {missing()}")
        return 77
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    outcome = unittest.TextTestRunner(verbosity=2, failfast=True).run(suite)
    return 0 if outcome.wasSuccessful() else 1
