"""The paths of the API, a blueprint each."""
