"""How long each kind of data is kept: a schedule that the server itself keeps."""
