"""How well faces are told from pictures of faces, in the terms of ISO/IEC 30107-3."""
