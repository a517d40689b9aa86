"""What is in a picture: models, detection, alignment, encoding, quality, tracking, search."""
