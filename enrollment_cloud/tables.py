"""All tables of the cloud's database, for the migrations and their test."""

from enrollment_cloud.communities.tables import CloudIdentity, Community
from enrollment_cloud.database import CloudBase
from enrollment_cloud.enrollment.tables import Envelope, SealedReply
from enrollment_cloud.invitations.tables import Invitation
from enrollment_cloud.operators.tables import Operator, PropertyGroup
from tier_link.store import LinkBase

__all__ = [
    "METADATA",
    "CloudIdentity",
    "Community",
    "Envelope",
    "Invitation",
    "Operator",
    "PropertyGroup",
    "SealedReply",
]

METADATA = [CloudBase.metadata, LinkBase.metadata]
