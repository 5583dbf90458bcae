"""A made-up company for `manage.py demo`: Fathom & Daughters, who build clocks that show the tide."""
