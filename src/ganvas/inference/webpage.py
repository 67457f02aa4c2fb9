"""A self-contained HTML page: its frame, and pictures within it."""

import base64
import html
import io
from collections.abc import Iterable

import numpy as np

from ganvas.core.images import grid

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 960px; margin: 32px auto; padding: 0 16px }
h1 { font-size: 24px; margin: 0 0 4px } h2 { font-size: 17px; margin: 32px 0 8px } p { margin: 4px 0; color: #555 }
.final { width: min(100%, 640px); image-rendering: pixelated; border: 1px solid #ddd }
.past { display: flex; flex-wrap: wrap; gap: 12px } figure { margin: 0 } figcaption { color: #777; font-size: 13px }
.past img { width: 170px; image-rendering: pixelated; border: 1px solid #ddd }
.charts { display: flex; flex-wrap: wrap; gap: 24px } svg { background: #fafafa; border: 1px solid #eee }
svg text { font: 11px system-ui, sans-serif; fill: #777 }
pre { background: #f6f6f6; padding: 12px; font-size: 13px; white-space: pre-wrap }
table { border-collapse: collapse } td, th { text-align: left; padding: 4px 16px 4px 0; border-bottom: 1px solid #eee }
th { color: #777; font-weight: normal; font-size: 13px } .care { color: #a33 }
.sheet td { border: none; padding: 0 4px 4px 0 } .tile { width: 224px; image-rendering: pixelated; display: block }
.pairs { width: 100%; image-rendering: pixelated; border: 1px solid #ddd }
@media print { body { margin: 0 } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """The whole page. title: as text; parts: HTML."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)} – Ganvas</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def two_rows(head: str, told: str, pairs: np.ndarray | None) -> str:
    """uint8 [2, N, C, H, W] as two rows below each other; "" for None."""
    if pairs is None:
        return ""
    return f"<h2>{head}</h2><p>{told}</p>{image_of(np.concatenate(list(pairs)), 'pairs', pairs.shape[1])}"


def image_of(pictures: np.ndarray, kind: str, columns: int | None = None) -> str:
    """uint8 [N, C, H, W] as a grid."""
    stream = io.BytesIO()
    grid(pictures, columns).save(stream, "PNG")
    return f'<img class="{kind}" src="data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}" alt="">'
