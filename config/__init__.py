"""Settings of the environments: one file each, one model that checks them."""
