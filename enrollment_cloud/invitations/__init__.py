"""Invitations as the cloud knows them: derived ids and nothing of the people invited."""
