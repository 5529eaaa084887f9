"""Processes that run skills: the zygote, its sessions and their sandbox. No Django in here."""
