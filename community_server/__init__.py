"""Tier 2, the estate's own server: people, rules, encrypted templates, doors, the console.

Sliced by what the estate does. Inside a slice one direction holds: routes → service →
queries → tables. Whatever changes who may pass goes through `change`, which tells the doors
in the same transaction.
"""
