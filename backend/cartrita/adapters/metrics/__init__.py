"""Metrics for Prometheus: counted by each worker, and added up when somebody asks."""
