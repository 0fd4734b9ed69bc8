"""The only code that prints or renders: magics, command line, panels."""
