"""Web pages that agents read: fetched from public addresses only."""
