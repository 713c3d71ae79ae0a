"""From a message to an offer: find links, name them, fetch them safely, read the product."""
