"""What bounds whoever needs no sign-in: a written table per tier, each word of it proven."""
