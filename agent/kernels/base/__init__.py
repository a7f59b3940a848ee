"""What every kernel stands on: compilation and its cache, arrays at an address, random numbers."""
