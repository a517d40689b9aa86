"""Faces renewed at doors, while the model before is being replaced."""

from community_server.renewal.service import Renewals

__all__ = ["Renewals"]
