"""What the entries show together: from counts by the hour, in which nobody is found."""
