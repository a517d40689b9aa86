"""Invitations: links made here, sent by the estate, used up here."""
