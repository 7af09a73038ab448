"""All of it on one machine: an old shop to forward to, Sunset in front of it, and a clock that may start anywhere.

    rulebook -> shop (what is sold where) -> pages (its HTML) -> origin (its server) -> stage (both servers, one loop)

The shop is made from the rulebook alone: regions are the sites, products the old addresses of mappings, pages whatever
a rule knows. So the demo shows the rules of whoever runs it, and no name of a customer stands in Python.
"""
