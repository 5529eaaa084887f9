"""What a session costs, beside other ways to run a piece of work in a process of its own."""
