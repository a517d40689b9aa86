"""Enrollments: opened, judged, answered; the photos destroyed."""
