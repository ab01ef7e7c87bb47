"""Runs programs that agents write, shut in by namespaces, a system call filter and limits."""
