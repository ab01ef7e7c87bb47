"""What Cartrita talks about: values, errors and ports, free of any wire, database or framework."""
