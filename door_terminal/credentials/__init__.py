"""What a person shows beside the face."""
