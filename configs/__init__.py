"""Configurations that come with synaptick: one YAML file an experiment, keys as the fields of `Config`."""
