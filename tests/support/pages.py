"""What tests do on the editor's pages."""

from collections.abc import Callable
from typing import Any

UNSET = "\u2013"
OpenPage = Callable[..., Any]


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def shown(page: Any) -> list[str]:
    """Return the scores the page shows, when it says that they are saved."""
    page.locator("#saving[data-state=saved]").wait_for()
    return page.locator("#strip .edited").all_inner_texts()


def current(page: Any) -> str:
    return page.locator("#strip [aria-current]").get_attribute("aria-label")


def drag(page: Any, part: str, first: int, last: int) -> None:
    boxes = [page.locator(f"#strip {part}").nth(i).bounding_box() for i in (first, last)]
    places = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


HARD_TO_READ = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = parse(color).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      const [, , , alpha = 1] = parse(style.backgroundColor);
      if (alpha === 1) return style.backgroundColor;
    }
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const style = getComputedStyle(element);
    const skipped = element.closest(":disabled, .number, .unset, script, noscript, [hidden]");
    if (!text || skipped || style.visibility === "hidden") continue;
    const pair = [luminance(style.color), luminance(ground(element))].sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (contrast < 4.5 || parseFloat(style.fontSize) < 12) {
      found.push(`${element.outerHTML.slice(0, 90)}: ${contrast.toFixed(1)}, ${style.fontSize}`);
    }
  }
  return found;
}"""
"""Answers what has a contrast below 4.5 (WCAG 2.2) or letters under 12 px."""
