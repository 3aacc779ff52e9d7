"""The laptop run: starts and stops the stand-ins, drives application and functions against them."""
