"""Links and passes as QR codes: inline SVG without a style attribute, as the policy asks."""

import io

import segno


def draw_qr_code(text: str) -> str:
    """Return an `<svg>` of the code, black on white with its quiet zone, as large as its box."""
    return _svg(segno.make(text, error="m", micro=False, boost_error=False))


def draw_pass(text: str) -> str:
    """Return an `<svg>` of a pass: as few modules as possible, which doors read from farther."""
    return _svg(segno.make(text, error="l", micro=False))


def _svg(code: segno.QRCode) -> str:
    buffer = io.BytesIO()
    code.save(
        buffer,
        kind="svg",
        border=4,
        dark="#000",
        light="#fff",
        xmldecl=False,
        svgns=True,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
    )
    return buffer.getvalue().decode()
