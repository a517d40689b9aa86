"""The process that looks: motion, faces, tracks, sightings; it decides nothing."""
