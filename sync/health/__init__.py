"""How the service is: what it does at the moment, for `status`; and over HTTP on this machine, for monitors."""
