"""Configurations that come with synaptick, one YAML file an experiment; keys are the fields of `synaptick.agent.Config`."""
