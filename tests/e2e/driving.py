"""What a hand does on the annotate page."""

from playwright.sync_api import Page, expect

from labeling.models import Project


def start(page: Page, project: Project) -> None:
    page.goto(f"/projects/{project.slug}/annotate/")
    expect(page.locator(".token").first).to_be_visible()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def saved(page: Page) -> None:
    expect(page.locator("[data-part=save-state]")).to_have_text("Draft saved")


def sent(page: Page) -> None:
    """All that was handed in has arrived."""
    expect(page.locator("[data-part=save-state]")).to_have_text("All saved")


def drag(page: Page, first: str, last: str) -> None:
    """Press on one token and let go on another."""
    boxes = [page.locator(".token", has_text=text).first.bounding_box() for text in (first, last)]
    points = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=5)
    page.mouse.up()


def swipe(page: Page, first: str, last: str) -> None:
    """Put a finger on one token, move it sideways to another, lift it."""
    touch = page.context.new_cdp_session(page)
    boxes = [page.locator(".token", has_text=text).first.bounding_box() for text in (first, last)]
    (x, y), (to, _) = ((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 6):
        point = {"x": x + (to - x) * step / 5, "y": y}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
