"""Where every number of an agent lies, how big it is, what it begins as, and how it is kept in a file."""
