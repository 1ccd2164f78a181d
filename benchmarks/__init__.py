"""The benchmark: this server, bare handlers over the same database, and other servers, side by side."""
