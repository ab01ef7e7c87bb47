"""The agents: who answers, and how."""
