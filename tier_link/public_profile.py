"""What a community tells the public, as the forms' interface says it in JSON (`docs/api-cloud.md`).

Whoever serves the forms, cloud or server, says it in the same words.
"""

from typing import Any

from tier_link.base64url import encode_base64url
from tier_link.certificates import carry_certificate
from tier_link.relay_messages import ProfilePublished


def describe_profile(
    community: str, profile: ProfilePublished, *, unsealed: bool
) -> dict[str, Any]:
    """Return a profile as JSON's values; `unsealed` is whether plain uploads are taken here."""
    carried = [carry_certificate(one.certificate, one.signature) for one in profile.certificates]
    return {
        "community": community,
        "name": profile.name,
        "root_public": encode_base64url(profile.root_public),
        "certificates": [
            {"certificate": one.certificate, "signature": one.signature} for one in carried
        ],
        "consents": [
            {
                "id": text.id,
                "version": text.version,
                "language": text.language,
                "required": text.required,
                "title": text.title,
                "text": text.text,
            }
            for text in profile.consents
        ],
        "unsealed_uploads": unsealed,
        "languages": list(profile.languages),
    }
