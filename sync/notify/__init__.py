"""Notices: what a person should hear of without looking, told by webhook, ntfy, mail or a command."""
