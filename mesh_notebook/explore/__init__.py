"""Sources, SQL, profiles, and what a frame says about its own contract."""
