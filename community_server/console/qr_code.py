"""Links as QR codes: inline SVG without a style attribute, so that the policy lets it through."""

import io

import segno


def draw_qr_code(text: str) -> str:
    """Return an `<svg>` of the code, black on white with its quiet zone, as large as its box."""
    buffer = io.BytesIO()
    segno.make(text, error="m", micro=False, boost_error=False).save(
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
