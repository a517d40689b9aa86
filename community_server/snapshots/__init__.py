"""Small pictures of faces that doors refused: sealed, for hours, and for few to see."""
