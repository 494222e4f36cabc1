#!/bin/sh
# Stands in for a Python with pip; files beside the link that it is called by say what it does.
here=$(dirname "$0")
if [ -e "$here/no-pip" ]; then exit 1; fi
if [ "$1" != -I ]; then echo "not isolated" >&2; exit 1; fi
if [ "$4" = --version ]; then exit 0; fi
if [ -e "$here/slow" ]; then exec sleep 60; fi
if [ -e "$here/stderr" ]; then cat "$here/stderr" >&2; exit 1; fi
while [ "$1" != --dest ]; do shift; done
cp "$here"/*.whl "$2"/
