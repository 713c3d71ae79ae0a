"""What can be shown about the books: that they are right, what was paid, what is owed to whom."""
