"""The rule language: read, checked against the types of the resources, compiled, evaluated, explained."""
