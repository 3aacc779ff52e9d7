"""The stacks: one file each, composed by :mod:`stacks.composition`."""
