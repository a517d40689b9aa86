"""What every tier shares: settings, languages, catalogues, security headers, templates.

It knows Jinja2 and ASGI, and no web framework: only the tiers do.
"""
