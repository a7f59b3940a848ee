"""What measurements share: timing, trials on several processes, gauges, statistics over seeds, rows of CSV."""
