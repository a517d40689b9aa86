"""Receipts: signed when photos or people are gone, complete once every door has been heard."""
