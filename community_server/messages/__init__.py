"""Messages to people, by the estate's own mail server or text message gateway."""
