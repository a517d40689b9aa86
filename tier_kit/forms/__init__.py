"""The pages that people without an account open: the two forms, a pass, and what goes wrong.

The cloud serves them on the internet and the estate's server on its own network, so that they
are the same wherever they come from. Both build their files by `web.build`.
"""

from tier_kit.pages import Pages


def form_pages(tier: str) -> Pages:
    """Return the pages, with the built files of the tier (a package) that serves them."""
    return Pages(__name__, built_in=tier)
