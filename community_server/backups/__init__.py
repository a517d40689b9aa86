"""Encrypted backups: made while the server runs, tried out and put back with the recovery kit."""
