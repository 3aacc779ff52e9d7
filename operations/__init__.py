"""What a person does with a deployed environment: deploy, diff, destroy, start, stop, smoke, forget.

Each module is one command, ``python -m operations.<name> ENV``, and the Makefile's targets of the same name.
"""
