"""The privacy officer's desk: what is known of somebody, who looked at it, and what is stated."""
