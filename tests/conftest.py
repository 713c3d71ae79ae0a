pytest_plugins = [
    "tests.peers.missing",
    "tests.peers.valkey",
    "tests.peers.postgres",
    "tests.peers.databases",
    "tests.peers.synapse",
    "tests.peers.snac",
    "tests.peers.bluesky",
    "tests.peers.chromium",
]
