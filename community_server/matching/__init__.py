"""Matching for doors too weak to do it: who is this, among those who may use that door?"""

from community_server.matching.matcher import Matcher
from community_server.matching.shared_encoder import SharedEncoder
from community_server.matching.space import Space

__all__ = ["Matcher", "SharedEncoder", "Space"]
