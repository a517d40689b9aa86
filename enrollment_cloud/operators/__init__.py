"""The people who run the cloud: the provider's and each property group's, and their page.

A property group has communities and staff of its own. Its staff see and manage these alone; the
provider's staff, who belong to no group, all. What they see is what the cloud knows: names of
communities, whether a link is up, how much waits. Nothing of any person is among it.
"""
