"""Pictures from a camera, a stream, a file or a folder: lost, and found again."""
