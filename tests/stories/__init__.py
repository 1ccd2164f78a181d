"""What people do from morning to evening, over HTTP, in an organisation with the sample's catalogue."""
