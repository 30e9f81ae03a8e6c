"""The load engine behind ``ovsnet bench``: what happens when many clients race for the sockets of OVS and OVN."""
