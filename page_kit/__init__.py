"""What every tier's pages share: languages, catalogues, security headers, templates.

It knows Jinja2 and ASGI, and no web framework: only the tiers do.
"""
