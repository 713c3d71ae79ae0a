"""Networks, one file each; `base` is the port they implement."""
