"""The A2A surface: the agents as Agent2Agent agents, whose tasks are runs."""
