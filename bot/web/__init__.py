"""The web server: its guards and its pages."""
