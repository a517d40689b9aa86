"""What every tier's pages share: languages, catalogues, security headers, templates."""
