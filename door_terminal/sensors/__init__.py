"""What is wired to the door beside its gate: exit button, fire input, door contact, case switch.

All of it runs in the controller, on threads of its own, and needs neither vision nor a link.
"""
