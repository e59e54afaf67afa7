"""The encoders, one module each; `incidentml.encoding` is the place to import them from."""
