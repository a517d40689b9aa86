"""The vault: a data key per owner, wrapped by an erasure key that lies outside the database.

Erasing somebody means destroying their data key; renewing the erasure key then makes every
older copy of that key (free pages, logs, replicas) useless too.
"""
