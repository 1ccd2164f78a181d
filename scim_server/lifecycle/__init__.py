"""What the organisation asks of users, as pure functions: status, time, authority and rules."""
