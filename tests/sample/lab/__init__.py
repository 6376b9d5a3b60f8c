"""The laboratory of the sample workspace: one package, so that tasks have a module name."""
