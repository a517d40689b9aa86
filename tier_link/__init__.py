"""How two tiers talk: messages, sealing, protocol, outbox, channel, pairing."""
