"""Enrollments in transit: uploads, what became of them, and the sealed replies."""
