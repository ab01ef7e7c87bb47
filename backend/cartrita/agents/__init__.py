"""Agents: their definitions and instructions, and the execution of one model call."""
