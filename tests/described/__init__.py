"""The APIs against their own descriptions (OpenAPI), by requests that Schemathesis makes."""
