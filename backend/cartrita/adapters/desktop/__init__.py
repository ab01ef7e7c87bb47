"""Desktops of this machine: each has a process of its own, the host, which workers talk to."""
