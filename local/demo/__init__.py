"""The laptop run: the whole pipeline on real parts, with planted truth, reconciled at its end."""
