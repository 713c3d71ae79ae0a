"""What stands in requests and answers."""

from typing import Any

#: A JSON value, or a model of one, whose shape the API describes.
Json = Any
