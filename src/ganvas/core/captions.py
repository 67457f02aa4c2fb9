"""Words above and beside a sheet of pictures."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from ganvas.core.images import GAP

_SIZE, _SPACE = 11, 4  # pixels: of letters, and between them and the pictures


def captioned(sheet: Image.Image, heads: Sequence[str], names: Sequence[str] = ()) -> Image.Image:
    """A sheet with a head above each column and a name before each row, black on white.

    sheet: of mode L, LA, RGB or RGBA, of `images.grid` with its own gap. A head that is wider than its column is
    broken between words; of a word that is too wide the beginning is there.
    """
    font = ImageFont.load_default(_SIZE)
    column, row = (sheet.width + GAP) // len(heads), (sheet.height + GAP) // max(1, len(names))
    broken = ["\n".join(_lines(head, column - GAP, font)) for head in heads]
    rule = ImageDraw.Draw(sheet)
    top = max(int(rule.multiline_textbbox((0, 0), text, font)[3]) for text in broken) + _SPACE
    left = max((int(font.getlength(name)) + _SPACE for name in names), default=0)
    opaque = (255,) if sheet.mode in ("LA", "RGBA") else ()
    colours = len(sheet.getbands()) - len(opaque)
    whole = Image.new(sheet.mode, (left + sheet.width, top + sheet.height), (*(255,) * colours, *opaque))
    whole.paste(sheet, (left, top))
    pen, ink = ImageDraw.Draw(whole), (*(0,) * colours, *opaque)
    for number, text in enumerate(broken):
        middle = left + number * column + (column - GAP) / 2
        pen.multiline_text((middle, top - _SPACE / 2), text, ink, font, anchor="md", align="center")
    for number, name in enumerate(names):
        pen.text((0, top + number * row + (row - GAP) / 2), name, ink, font, anchor="lm")
    return whole


def _lines(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """Words in lines that are no wider than `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        while len(word) > 1 and font.getlength(word) > width:
            word = word[:-1]
        if lines and font.getlength(longer := f"{lines[-1]} {word}") <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]
