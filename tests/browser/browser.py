"""Chromium, and an editor in it, for the tests: real events of mouse, pen, fingers and keys, sent to the browser."""

import io
import json
import math
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import numpy as np
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SHIFT = 8  # DevTools' number of the key


def start(ratio=1, size=(1000, 800), dark=False, touch=False):
    """Chromium without a window, at a device-pixel ratio."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "force-color-profile=srgb"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    if dark:
        features = [{"name": "prefers-color-scheme", "value": "dark"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    if touch:
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5})
    return driver


def serve(command, **options):
    """Run the app that the program `command(port)` serves: its address, when it answers, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([str(word) for word in command(port)], **options)
    address = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urllib.request.urlopen(address)
            break
        except OSError:
            time.sleep(0.2)
    return address, server


def complaints(driver):
    """What the console says, but for the icon that browsers ask every server for."""
    return [entry["message"] for entry in driver.get_log("browser") if "favicon.ico" not in entry["message"]]


def requests(driver):
    """The addresses that the page asked for."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


def read_place(screenshot, x, y):
    """The column and row of the image that the pixels of pages.R's `places` show at a place of the screen."""
    red, green, blue = (int(value) for value in screenshot[y, x])
    return red + 256 * (blue % 16), green + 256 * (blue // 16)


class Editor:
    """The editor of a page, or the one with an id."""

    def __init__(self, driver, address, id=None, ratio=1):
        self.driver, self.ratio = driver, ratio
        self.root = f"#{id}" if id else ".crop_editor"
        driver.get(address)
        self.ready()

    def ready(self):
        shown = f"return (document.querySelector('{self.root} canvas') || {{width: 1}}).width > 1"
        WebDriverWait(self.driver, 20).until(lambda driver: driver.execute_script(shown))
        self.frame()

    def frame(self):
        """Wait until what was done is drawn."""
        code = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))"
        self.driver.execute_async_script(code)

    def ask(self, code, *values):
        """Run JavaScript in which `editor` is this one, and `root` its element."""
        found = f"const root = document.querySelector('{self.root}'), editor = HTMLWidgets.getInstance(root).editor; "
        return self.driver.execute_script(found + code, *values)

    def boxes(self):
        columns = self.ask("return editor.boxes()")
        return [tuple(row) for row in zip(*(columns[side] for side in ("x1", "y1", "x2", "y2")))]

    def labels(self):
        return self.ask("return editor.boxes().label")

    def selected(self):
        """The number of the selected box, from 0; None for none."""
        number = self.ask("return editor.selected()")
        return None if number is None else number - 1

    def clear(self):
        self.ask("editor.update({boxes: {x1: [], y1: [], x2: [], y2: []}})")

    def screenshot(self):
        """What is seen, `(height, width, 3)`, in pixels of the device."""
        return np.asarray(Image.open(io.BytesIO(self.driver.get_screenshot_as_png())).convert("RGB"))

    def stage(self):
        """The stage's left, top, width and height on the page."""
        return self.place_of(".kc-stage")

    def picture(self):
        """Where the browser shows the picture: left, top, and how many of the page's pixels one of the image is."""
        left, top, width, _ = self.place_of("canvas")
        name = self.ask("return root.querySelector('.kc-stage').ariaLabel")
        return left, top, width / int(re.search(r"(\d+) by", name)[1])

    def place_of(self, selector):
        """The left, top, width and height of an element on the page."""
        code = "const place = root.querySelector(arguments[0]).getBoundingClientRect(); "
        return self.ask(code + "return [place.left, place.top, place.width, place.height]", selector)

    def at(self, x, y):
        """Where a point of the image is on the page."""
        left, top, scale = self.picture()
        return left + x * scale, top + y * scale

    # ---- mouse and pen ----

    def mouse(self, kind, x, y, buttons=0, button="none", **more):
        event = {"type": kind, "x": x, "y": y, "buttons": buttons, "button": button, "clickCount": 1, **more}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def drag(self, start, end, modifiers=0, button="left", **more):
        """Press at a place of the page, move to another, let go."""
        buttons = {"left": 1, "middle": 4}[button]
        more = {"modifiers": modifiers, **more}
        self.mouse("mousePressed", *start, buttons, button, **more)
        self.mouse("mouseMoved", *end, buttons, button, **more)
        self.mouse("mouseReleased", *end, 0, button, **more)

    def click(self, x, y, **more):
        self.mouse("mousePressed", x, y, 1, "left", **more)
        self.mouse("mouseReleased", x, y, 0, "left", **more)

    def wheel(self, x, y, amount):
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=amount, modifiers=2)  # with Ctrl, which needs no focus
        self.frame()

    # ---- fingers ----

    def touch(self, kind, *points):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def swipe(self, *paths, steps=4):
        """Fingers that go down one after the other, move together along their paths `(start, end)`, and go up."""
        for count in range(1, len(paths) + 1):
            self.touch("touchStart", *(start for start, _ in paths[:count]))
        for step in range(1, steps + 1):
            along = step / steps
            self.touch("touchMove", *(
                tuple(a + along * (b - a) for a, b in zip(start, end)) for start, end in paths
            ))
        self.touch("touchEnd")
        time.sleep(0.6)  # a tap that follows sooner would be the second of two, which browsers take for another thing

    def tap(self, x, y):
        self.touch("touchStart", (x, y))
        self.touch("touchEnd")

    def tap_on(self, selector):
        """Tap on a button: once more where the browser, on a busy machine, took that for a long press."""
        left, top, width, height = self.place_of(selector)
        listener = "root.addEventListener('click', () => { window.clicked = true }, {capture: true, once: true})"
        self.ask("window.clicked = false; " + listener)
        for _ in range(4):
            self.tap(left + width / 2, top + height / 2)
            time.sleep(0.6)
            if self.ask("return window.clicked"):
                return
        raise AssertionError(f"no tap on {selector}")

    def tap_button(self, name):
        self.tap_on(f"button[aria-label^='{name}']")

    def tap_class(self, number):
        self.tap_on(f".kc-class:nth-child({number})")

    # ---- keys ----

    def press(self, *keys, times=1):
        """Press keys together, some times: the last one while the others are held."""
        actions = ActionChains(self.driver, duration=0)
        for key in keys[:-1]:
            actions.key_down(key)
        for _ in range(times):
            actions.send_keys(keys[-1])
        for key in keys[:-1]:
            actions.key_up(key)
        actions.perform()

    def key(self, kind, key, code, **more):
        """One event of a key: `"keyDown"` or `"keyUp"`."""
        event = {"type": kind, "key": key, "windowsVirtualKeyCode": code, **more}
        self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", event)

    def focused(self):
        """The accessible name of what has the focus."""
        return self.driver.execute_script("return document.activeElement.getAttribute('aria-label')")

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, f"{self.root} {selector}")


def device_centre(value, ratio):
    """A place of the page that is the middle of one of the device's pixels, and the number of that."""
    number = math.floor(value * ratio)
    return (number + 0.5) / ratio, number
