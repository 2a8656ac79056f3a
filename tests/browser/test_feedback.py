#!/usr/bin/env python3
"""What people say of an alert, on the supervisors' page in a real browser: by keyboard, with the
token asked for, refused and taken, said once however often it is pressed, and there after a reload.
Exits with 77 (skipped, for CTest) where there is no browser."""

import json
import os
import shutil
import sys
import unittest

import stage

TOKEN = "0123456789abcdef-test"
ENTER, ESCAPE, TAB = "\ue007", "\ue00c", "\ue004"

ANGRY = [("user", "this is the worst service I have ever had, it is terrible"),
         ("agent", "one moment please"),
         ("user", "you are useless, I hate this, I am really angry"),
         ("agent", "let me see"),
         ("user", "it is a disgrace, awful, never again"),
         ("agent", "please hold the line " * 40)]  # 64 s to look at it

options = None


def setUpModule():
    global scene, chromium, driver
    shutil.rmtree(options.out, ignore_errors=True)  # the log of a run before
    data = stage.live.write_conversation(os.path.join(options.out, "data"), ANGRY)
    scene = stage.Stage(
        options.build, options.out,
        ["--calls", "1", "--mid-call", "off", "--sources", "cucom=1", "--data", data],
        {"api.token": TOKEN, "decisions.path": os.path.join(options.out, "decisions")})
    try:
        scene.start_daemon()
        chromium = stage.browser()
        driver = chromium.__enter__()
        driver.get(scene.page)
        open_alert()
    except BaseException:
        scene.__exit__()
        raise


def tearDownModule():
    chromium.__exit__(None, None, None)
    scene.__exit__()


def look(script, *arguments):
    return driver.execute_script("return " + script, *arguments)


def text_of(selector):
    return look("document.querySelector(arguments[0])?.innerText ?? ''", selector)


def open_alert():
    stage.wait_for("an alert", 60, lambda: look("!!document.querySelector('tr[data-state=alert]')"))
    look("document.querySelector('tr[data-state=alert] .row-open').click()")
    stage.wait_for("its feedback", 5, lambda: look(
        "!!document.querySelector('.feedback')?.checkVisibility()"))


def press(*keys):
    from selenium.webdriver import ActionChains

    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def focus(value):
    look("document.querySelector(`.feedback .choice[data-value=${arguments[0]}]`).focus()", value)


def focused():
    return look("document.activeElement.dataset.value ?? document.activeElement.id")


def pressed():
    return look("[...document.querySelectorAll('.feedback .choice[aria-pressed=true]')]"
                ".map((n) => n.dataset.value)")


def kept():
    """What the log of decisions holds of it, in order."""
    with open(os.path.join(options.out, "decisions"), encoding="utf-8") as log:
        lines = [json.loads(line) for line in log if line.endswith("}\n")]
    return [line["feedback"] for line in lines if line["kind"] == "feedback"]


def is_asking():
    return look("document.querySelector('.feedback-key').checkVisibility()")


class Feedback(unittest.TestCase):
    """In order; each test goes on where the one before left off."""

    def test_1_the_token_is_asked_for_and_can_be_declined(self):
        focus("useful")
        press(ENTER)
        self.assertTrue(is_asking())
        self.assertEqual(focused(), "feedback-key")
        press(ESCAPE)
        self.assertFalse(is_asking())
        self.assertEqual(focused(), "useful")
        self.assertTrue(look("!document.getElementById('drawer').hidden"))

    def test_2_a_wrong_token_is_told_and_asked_for_again(self):
        press(ENTER, "wrong", ENTER)
        stage.wait_for("the refusal", 5, lambda: "Not kept: this token" in
                       text_of(".feedback-failed"))
        self.assertTrue(is_asking())
        self.assertEqual((pressed(), kept()), ([], []))

    def test_3_the_right_one_is_taken_and_said_once(self):
        press(TOKEN, ENTER, ENTER)
        stage.wait_for("the state", 5, lambda: pressed() == ["useful"])
        self.assertIn("Kept", text_of(".feedback-said"))
        self.assertFalse(is_asking())
        self.assertEqual(focused(), "useful")
        press(ENTER)  # it is said already
        self.assertEqual(kept(), ["useful"])

    def test_4_a_choice_pressed_in_haste_is_sent_once(self):
        # A slow network: three presses before the first is answered.
        look("""(() => { const real = window.fetch; window.asked = 0;
          window.fetch = async (...a) => { window.asked++;
            await new Promise((go) => setTimeout(go, 600)); return real(...a); }; })()""")
        focus("dismissed")
        press(ENTER, ENTER)
        look("document.querySelector('.feedback .choice[data-value=accepted]').click()")
        self.assertIn("Sending", text_of(".feedback-said"))
        stage.wait_for("the state", 5, lambda: pressed() == ["dismissed"])
        self.assertEqual(look("window.asked"), 1)
        self.assertEqual(kept(), ["useful", "dismissed"])

    def test_5_a_write_that_fails_is_told_and_changes_nothing(self):
        look("""(() => { window.fetch = async () => new Response(
          JSON.stringify({error: {code: "not_kept", message: "it could not be written down"}}),
          {status: 500}); })()""")
        focus("accepted")
        press(ENTER)
        stage.wait_for("the failure", 5, lambda: "Not kept: it could not be written down." ==
                       text_of(".feedback-failed"))
        self.assertEqual((pressed(), kept()), (["dismissed"], ["useful", "dismissed"]))
        look("(() => { window.fetch = async () => { throw new TypeError('no network'); }; })()")
        press(ENTER)
        stage.wait_for("the failure", 5, lambda: "did not answer" in text_of(".feedback-failed"))
        self.assertEqual(pressed(), ["dismissed"])

    def test_6_after_a_reload_it_is_still_there_and_the_token_is_not(self):
        shoot("feedback")
        driver.get(scene.page)
        open_alert()
        stage.wait_for("the state", 5, lambda: pressed() == ["dismissed"])
        focus("accepted")
        press(ENTER)
        self.assertTrue(is_asking())
        press(ESCAPE)
        self.assertEqual(kept(), ["useful", "dismissed"])

    def test_7_nothing_of_it_is_in_the_browsers_stores(self):
        stored = look("[document.cookie, ...Object.keys(sessionStorage),"
                      " ...Object.values(localStorage)].filter((v) => v)")
        self.assertEqual(stored, ["system"])  # the theme


def shoot(name):
    for scheme in ("light", "dark"):
        stage.prefer_scheme(driver, scheme)
        driver.save_screenshot(os.path.join(options.out, f"{name}-{scheme}.png"))
    stage.prefer_scheme(driver, "light")


if __name__ == "__main__":
    sys.exit(stage.run_tests(sys.modules[__name__], "build/browser-feedback"))
