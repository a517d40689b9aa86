"""The forms of residents and visitors on the estate's own network, as at the cloud, without one."""
