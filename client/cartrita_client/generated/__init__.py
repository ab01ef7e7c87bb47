# Generated from the contract by `cartrita contract`: do not edit.
"""What is generated from the contract."""
