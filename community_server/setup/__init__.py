"""The first run: the estate's name, its keys, the first account, the link to the cloud."""
