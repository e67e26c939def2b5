"""The portal: people see, start and stop their own server, and administrators everybody's."""
