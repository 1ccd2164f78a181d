"""A SCIM 2.0 provisioning server: every client's dialect, one user store."""
