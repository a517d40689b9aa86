"""A second server that stands by: kept ready by PostgreSQL's replication, promoted by a person.

The replica brings everything but the erasure keys, which lie outside of the database. The standby
fetches these from the server in service, which takes none into use before the standby has it. On
promotion it begins a new epoch, takes back the ledger, and serves; whoever served before finds
out and stops.
"""
