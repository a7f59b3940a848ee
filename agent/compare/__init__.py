"""Arms of experiments next to each other: what they reach, how sure that is, and whether they may be compared."""
