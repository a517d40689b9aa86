"""What a person knows who reads a receipt: the root's fingerprint, from their own link."""

from community_server.keys.root import root_key
from tests.community_server.bench import Bench
from tier_link.certificates import root_fingerprint, root_public_bytes


def fingerprint(bench: Bench) -> bytes:
    with bench.estate.reading() as session:
        return root_fingerprint(root_public_bytes(root_key(session, bench.estate.safe)))
