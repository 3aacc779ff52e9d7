"""Puts what the local parts do into the local CloudWatch, under the names that the services of AWS publish it with."""
