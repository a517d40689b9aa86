"""People: residents and visitors, what may be known of them, what lets them in."""
