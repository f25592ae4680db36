"""Bar charts as SVG: deterministic, and readable on light and dark pages."""

from html import escape

from bench.figures import Picture, quantity

WIDTH, LEFT, RIGHT = 760, 300, 110
ROW, TOP = 30, 44
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .mark-label { font-size: 12px; fill: #b35900 }
  .ours { fill: #1f6feb } .other { fill: #8c959f }
  .mark { stroke: #b35900; stroke-width: 1.5; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .ours { fill: #58a6ff } .other { fill: #6e7681 }
    .mark { stroke: #f0a35e } .mark-label { fill: #f0a35e }
  }
"""


def to_svg(picture: Picture) -> str:
    """Return a chart as an SVG document."""
    longest = max([*(bar.value for bar in picture.bars), picture.mark or 0]) or 1
    scale = (WIDTH - LEFT - RIGHT) / longest
    bottom = TOP + ROW * len(picture.bars)
    height = bottom + (30 if picture.mark is not None else 12)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img" aria-label="{escape(picture.title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="12" y="24">{escape(picture.title)}</text>',
    ]
    for number, bar in enumerate(picture.bars):
        y, width = TOP + ROW * number, max(1.0, bar.value * scale)
        said = escape(quantity(bar.value, picture.unit))
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect class="{"ours" if bar.ours else "other"}" x="{LEFT}" y="{y + 2}"'
            f' width="{width:.1f}" height="{ROW - 10}" rx="2"/>',
            f'<text x="{LEFT + width + 8:.1f}" y="{y + 16}">{said}</text>',
        ]
    if picture.mark is not None:
        x = LEFT + picture.mark * scale
        parts += [
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}"/>',
            f'<text class="mark-label" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">'
            f"target {escape(quantity(picture.mark, picture.unit))}</text>",
        ]
    return "\n".join([*parts, "</svg>", ""])
