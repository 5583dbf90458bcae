"""What the next version of Earshot could be: the present one, and messages that have a mood."""
