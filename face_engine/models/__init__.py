"""Model packs: what there is, bringing it here, and loading it."""

from face_engine.models.loading import FacePack, load_pack
from face_engine.models.registry import DEFAULT_PACK, default_folder

__all__ = ["DEFAULT_PACK", "FacePack", "default_folder", "load_pack"]
