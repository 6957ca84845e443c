"""What is printed on a terminal about records."""
