// The token stands in the form now; the address, which history and screenshots keep, forgets it.
history.replaceState(null, "", "/claim");
